//! Attacks by the network and by sockets.

attacks! {}

//! Attacks by what processes share without a file: keyrings, System V objects, queues, abstract sockets.

attacks! {}

//! Attacks by the terminal.

attacks! {
    a_command_typed_by_another_number: "ioctl-64bit",
    a_command_typed_on_the_terminal: "tiocsti",
    a_paste_on_a_console: "tioclinux",
    the_terminal_itself: "terminal-stolen",
}

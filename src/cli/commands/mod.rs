//! The commands, one file each; the help of a command is the doc comment of its
//! arguments.

pub mod abort;
pub mod advance;
pub mod approve;
pub mod baseline;
pub mod check;
pub mod completions;
pub mod demo;
pub mod deployed;
pub mod expand;
pub mod gate;
pub mod history;
pub mod import;
pub mod init;
pub mod new;
pub mod pause;
pub mod phases;
pub mod quarantine;
pub mod rehearse;
pub mod resume;
pub mod rollback;
pub mod show;
pub mod status;
pub mod tune;
pub mod wait;

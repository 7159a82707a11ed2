//! Smart cuts against an oracle: every picture of the sources carries a number, and so does their sound.

mod cuts;
mod media;
mod oracle;
mod peer;
mod source;

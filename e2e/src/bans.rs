//! Every ban in `clippy.toml`, broken once on purpose.
//!
//! A ban whose path is misspelt, or whose function has moved, is silent. Here each of them has to
//! fire: clippy refuses an expectation that nothing fulfils, and the test below a ban without one.

#[test]
fn every_ban_is_broken_below() {
    let bans = include_str!("../../clippy.toml");
    let bans = bans.split("path = \"").skip(1).filter_map(|rest| rest.split('"').next());
    let here = include_str!("bans.rs");
    let silent: Vec<&str> =
        bans.filter(|ban| !here.contains(&format!("reason = \"breaks {ban}\""))).collect();
    assert_eq!(silent, Vec::<&str>::new(), "add a line that breaks each of these");
}

#[test]
fn the_bans_fire() {
    #[expect(clippy::disallowed_methods, reason = "breaks chrono::Utc::now")]
    let _ = chrono::Utc::now;
    #[expect(clippy::disallowed_methods, reason = "breaks std::time::SystemTime::now")]
    let _ = std::time::SystemTime::now;
    #[expect(clippy::disallowed_methods, reason = "breaks tokio::spawn")]
    let _ = tokio::spawn::<std::future::Ready<()>>;
    #[expect(clippy::disallowed_methods, reason = "breaks sqlx::Pool::begin")]
    let _ = sqlx::Pool::<sqlx::Postgres>::begin;
    #[expect(clippy::disallowed_methods, reason = "breaks reqwest::Client::new")]
    let _ = reqwest::Client::new;
    #[expect(clippy::disallowed_methods, reason = "breaks reqwest::Client::builder")]
    let _ = reqwest::Client::builder;
    #[expect(clippy::disallowed_methods, reason = "breaks std::process::Command::new")]
    let _ = std::process::Command::new::<&str>;
    #[expect(clippy::disallowed_methods, reason = "breaks tokio::process::Command::new")]
    let _ = tokio::process::Command::new::<&str>;
    #[expect(clippy::disallowed_methods, reason = "breaks std::process::exit")]
    let _ = std::process::exit;
}

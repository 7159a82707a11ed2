//! What a database says no with, sorted by what the caller should do about it.

use thiserror::Error;

/// Why something that was asked of the database did not happen.
#[derive(Debug, Error)]
pub enum DbError {
    /// The database was not reached, or went away. Whether a change was made is unknown.
    #[error("the database is not available for {name:?}")]
    Unavailable {
        /// What was being done.
        name: &'static str,
        /// What the driver says.
        source: sqlx::Error,
    },
    /// No answer came in time. Whether a change was made is unknown.
    #[error("the database did not answer {name:?} within {seconds} s")]
    TimedOut {
        /// What was being done.
        name: &'static str,
        /// How long it was given, in seconds.
        seconds: u64,
    },
    /// Others were changing the same rows, every time. Nothing was changed.
    #[error("{name:?} conflicted with others {tries} times in a row")]
    Conflicted {
        /// What was being done.
        name: &'static str,
        /// How often it was tried.
        tries: u32,
        /// What the database said last.
        source: sqlx::Error,
    },
    /// The database understood and said no: a rule of the schema, a missing right, a wrong value.
    /// Nothing was changed.
    #[error("the database refused {name:?}")]
    Refused {
        /// What was being done.
        name: &'static str,
        /// What the database said.
        source: sqlx::Error,
    },
    /// The schema is not ours and may not be made so.
    #[error(
        "the database's schema does not fit and this user may not change it; it lacks {}; let a \
         service run once as the owner of the tables", missing.join(", ")
    )]
    SchemaDoesNotFit {
        /// The columns that are needed and not there.
        missing: Vec<String>,
    },
}

impl DbError {
    /// Returns whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::TimedOut { .. } | Self::Conflicted { .. } => true,
            Self::Refused { .. } | Self::SchemaDoesNotFit { .. } => false,
        }
    }

    /// Returns whether the change may have been made although this error came.
    pub fn outcome_is_unknown(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::TimedOut { .. })
    }

    /// Returns whether no waiting will help: the database is there and knows no such user, password
    /// or database.
    pub(super) fn needs_a_person(&self) -> bool {
        /// `invalid_password`, `invalid_authorization_specification`, `invalid_catalog_name`, of
        /// PostgreSQL's documentation, appendix A.
        const WRONG_ADDRESS: [&str; 3] = ["28P01", "28000", "3D000"];
        let Self::Unavailable { source, .. } = self else {
            return false;
        };
        let code = source.as_database_error().and_then(sqlx::error::DatabaseError::code);
        code.is_some_and(|code| WRONG_ADDRESS.contains(&&*code))
    }

    /// Returns what went wrong in the words of whoever knows best, once.
    pub(super) fn cause(&self) -> String {
        let Self::Unavailable { source, .. } = self else {
            return self.to_string();
        };
        source
            .as_database_error()
            .map_or_else(|| source.to_string(), |said| said.message().to_owned())
    }

    /// Returns the name of the constraint that was violated.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Refused { source, .. } => source.as_database_error()?.constraint(),
            _ => None,
        }
    }

    /// Sorts what the driver says about `name`.
    pub(super) fn new(name: &'static str, source: sqlx::Error) -> Self {
        match Kind::of(&source) {
            Kind::Conflict(_) => Self::Conflicted { name, tries: 1, source },
            Kind::Unavailable => Self::Unavailable { name, source },
            Kind::Refusal => Self::Refused { name, source },
        }
    }

    /// The value of the metrics' label `outcome`.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "unavailable",
            Self::TimedOut { .. } => "timed-out",
            Self::Conflicted { .. } => "conflicted",
            Self::Refused { .. } | Self::SchemaDoesNotFit { .. } => "refused",
        }
    }
}

/// "cached plan must not change result type"; nothing else that we ask is an unsupported feature.
const STALE_PLAN: &str = "0A000";

/// What an error of the driver asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Run it again at once; the word says what it was.
    Conflict(&'static str),
    /// Try again later.
    Unavailable,
    /// It will not be different next time.
    Refusal,
}

impl Kind {
    pub(super) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => {
                error.code().map_or(Self::Refusal, |code| Self::of_code(&code))
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable,
            _ => Self::Refusal,
        }
    }

    /// Sorts an SQLSTATE; the classes are those of PostgreSQL's appendix A.
    fn of_code(code: &str) -> Self {
        match code {
            "40001" => Self::Conflict("serialization"),
            "40P01" => Self::Conflict("deadlock"),
            STALE_PLAN => Self::Conflict("stale-plan"),
            // busy: a lock was not had in time, a session was idle for too long;
            // a standby that has not been promoted yet;
            // an operator is still at it: the password, the database
            "55P03" | "25P03" | "25P04" | "25006" | "28000" | "28P01" | "3D000" => {
                Self::Unavailable
            }
            _ => match code.get(..2) {
                // connection, resources, operator intervention, system
                Some("08" | "53" | "57" | "58") => Self::Unavailable,
                _ => Self::Refusal,
            },
        }
    }

    /// Returns whether the session remembers a table as it was before someone changed it.
    pub(super) fn is_stale_plan(error: &sqlx::Error) -> bool {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        code.as_deref() == Some(STALE_PLAN)
    }

    /// Returns whether the user lacks a right, or the database takes no change at all.
    pub(super) fn is_missing_right(error: &sqlx::Error) -> bool {
        let code = error.as_database_error().and_then(|error| error.code().map(String::from));
        matches!(code.as_deref(), Some("42501" | "25006"))
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn codes_are_sorted_by_what_to_do() {
        for (code, expected) in [
            ("40001", Kind::Conflict("serialization")),
            ("40P01", Kind::Conflict("deadlock")),
            ("08006", Kind::Unavailable),
            ("53300", Kind::Unavailable),
            ("57P01", Kind::Unavailable),
            ("57014", Kind::Unavailable),
            ("55P03", Kind::Unavailable),
            ("25006", Kind::Unavailable),
            ("23514", Kind::Refusal),
            ("42501", Kind::Refusal),
            ("42P01", Kind::Refusal),
            ("", Kind::Refusal),
        ] {
            assert_eq!(Kind::of_code(code), expected, "{code}");
        }
    }
}

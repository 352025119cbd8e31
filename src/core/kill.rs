//! Decides which sessions in the way may be ended: only where the plan says so, only
//! those of the users that it names, and only after the time that it gives them.

use std::time::Duration;

use crate::core::failure::Blocker;

/// What a plan allows: `kill_blockers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KillBlockers {
    /// How long a session must have been in the way.
    pub after: Duration,
    /// Database users whose sessions may be ended.
    pub only: Vec<String>,
}

/// Those of `blockers` whose time is over; `span` tells how long one is in the way.
pub fn due<'a>(
    policy: &KillBlockers,
    blockers: &'a [Blocker],
    span: impl Fn(&Blocker) -> Duration,
) -> Vec<&'a Blocker> {
    let named = |blocker: &Blocker| {
        // A prepared transaction has no session.
        blocker.pid > 0
            && blocker.user.as_ref().is_some_and(|user| policy.only.contains(user))
            && blocker.transaction.is_some()
    };
    blockers.iter().filter(|blocker| named(blocker) && span(blocker) >= policy.after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_users_and_only_after_their_time() {
        let policy = KillBlockers { after: Duration::from_secs(120), only: vec!["app".into()] };
        let blocker = |pid, user: Option<&str>| Blocker {
            user: user.map(str::to_owned),
            transaction: Some("3/1".into()),
            ..Blocker::of_pid(pid)
        };
        let all = [blocker(1, Some("app")), blocker(2, Some("postgres")), blocker(3, None)];
        let ended = |seconds| {
            due(&policy, &all, |_| Duration::from_secs(seconds)).iter().map(|who| who.pid).collect::<Vec<_>>()
        };
        assert_eq!(ended(119), Vec::<i32>::new());
        assert_eq!(ended(120), [1]);
        let unnamed = [Blocker { transaction: None, ..blocker(1, Some("app")) }];
        assert!(due(&policy, &unnamed, |_| Duration::from_secs(999)).is_empty());
    }
}

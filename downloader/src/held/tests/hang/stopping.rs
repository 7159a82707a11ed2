//! What becomes of what waits for a disk that hangs when the downloader stops.

use super::super::super::landing::{ASK_EVERY, LAST_TRIED_FOR, LAST_WAIT, LONGEST_LAST_WAIT};
use super::*;

#[tokio::test(start_paused = true)]
async fn when_stopping_a_disk_that_hangs_is_waited_for_for_a_while_and_what_is_lost_is_told() {
    for answers in [true, false] {
        let bench = Bench::new();
        bench.disk.at(Step::Flush, 0);
        let mut landing = bench.land(1..6);
        until("nobody tries", || bench.disk.count() == 1).await;
        tokio::time::advance(TRIED_FOR).await;
        until("it is for ever", || bench.holding.hangs()).await;
        bench.stop.cancel();
        all_go_on().await;
        tokio::time::advance(LAST_WAIT / 2).await;
        all_go_on().await;
        assert!(landing.try_join_next().is_none());
        if answers {
            bench.disk.release();
            Bench::all_land(landing).await;
            continue;
        }
        tokio::time::advance(LAST_WAIT / 2).await;
        while let Some(landed) = landing.join_next().await {
            let failure = landed.unwrap().failure.unwrap();
            assert_eq!((failure.why, failure.retry), (Why::DiskFull, Retry::Never));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn when_stopping_a_disk_is_waited_for_as_long_as_it_stores_anything() {
    let bench = Bench::new();
    let mut landing = bench.land(1..6);
    bench.disk.at(Step::Flush, 0);
    until("nobody tries", || bench.disk.count() == 1).await;
    bench.stop.cancel();
    all_go_on().await;
    tokio::time::advance(LAST_WAIT / 2).await;
    bench.holding.disk_works();
    for _ in 0..4 {
        all_go_on().await;
        assert!(landing.try_join_next().is_none());
        tokio::time::advance(LAST_WAIT / 4).await;
    }
    // though nobody has found out that the disk hangs
    assert!(!bench.holding.hangs());
    tokio::time::advance(ASK_EVERY).await;
    all_go_on().await;
    for _ in 1..6 {
        let failure = landing.try_join_next().unwrap().unwrap().failure.unwrap();
        assert_eq!((failure.why, failure.retry), (Why::DiskFull, Retry::Never));
    }
}

#[tokio::test(start_paused = true)]
async fn when_stopping_what_hangs_keeps_no_other_from_its_last_try() {
    let bench = Bench::new();
    let other = super::super::Bench::new(100, Disk::default());
    bench.disk.at(Step::Flush, 0);
    let mut landing = bench.land(1..2);
    until("nobody tries", || bench.disk.count() == 1).await;
    let well =
        |start| Held { place: bench.hold(start).place, ..other.hold(0, start).unwrap() }.land();
    let mut landing_well = JoinSet::new();
    landing_well.spawn(well(3));
    bench.stop.cancel();
    other.stop.cancel();
    all_go_on().await;
    assert!(landing_well.try_join_next().is_none());
    tokio::time::advance(LAST_TRIED_FOR).await;
    until_at_last("it waits for the other", || other.names() == 1).await;
    assert!(landed(&mut landing_well).await.saved.is_some());
    // it would be the turn of the one that hangs once more before that of one between the two
    landing_well.spawn(well(2));
    until_at_last("it waits for the other", || other.names() == 2).await;
    assert!(landed(&mut landing_well).await.saved.is_some());
    assert!(landing.try_join_next().is_none());
    for waits in 1..=LONGEST_LAST_WAIT.as_secs() {
        // it stores something now and then
        bench.holding.disk_works();
        tokio::time::advance(Duration::from_secs(1)).await;
        all_go_on().await;
        if waits == LONGEST_LAST_WAIT.as_secs() - 3 {
            assert!(landing.try_join_next().is_none());
        }
    }
    let failure = landing.try_join_next().unwrap().unwrap().failure.unwrap();
    assert_eq!((failure.why, failure.retry), (Why::DiskFull, Retry::Never));
}

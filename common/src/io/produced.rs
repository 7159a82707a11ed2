//! Streams whose items are made by one piece of code that runs from its beginning to its end.

use std::future::Future;
use std::pin::Pin;

use futures_util::{Stream, stream};
use tokio::sync::mpsc;

/// How many items are made before they are wanted.
const AHEAD: usize = 2;

/// Where a producer puts what it makes.
#[derive(Debug)]
pub struct Sink<T>(mpsc::Sender<T>);

impl<T> Sink<T> {
    /// Hands on `item`, as soon as few enough are waiting to be taken.
    ///
    /// Cancel safety: dropped, the item is gone.
    pub async fn put(&mut self, item: T) {
        // its other end lives as long as the producer, which is what waits here
        let _ = self.0.send(item).await;
    }
}

/// What `produce` puts into its sink, in order, and then its error, if it ends with one.
///
/// It runs only while the stream is polled, and a few items ahead; dropped, it goes no further.
pub fn produced<T, E, F, P>(produce: P) -> impl Stream<Item = Result<T, E>> + use<T, E, F, P>
where
    P: FnOnce(Sink<T>) -> F,
    F: Future<Output = Result<(), E>>,
{
    let (sender, items) = mpsc::channel(AHEAD);
    let producing = Some(Box::pin(produce(Sink(sender))));
    let state = Production { producing, items, outcome: Ok(()) };
    stream::unfold(state, |mut state| async move {
        let item = state.next().await?;
        Some((item, state))
    })
}

struct Production<T, E, F> {
    /// Until it has ended.
    producing: Option<Pin<Box<F>>>,
    items: mpsc::Receiver<T>,
    /// How it ended, until that was told.
    outcome: Result<(), E>,
}

impl<T, E, F: Future<Output = Result<(), E>>> Production<T, E, F> {
    async fn next(&mut self) -> Option<Result<T, E>> {
        while let Some(producing) = &mut self.producing {
            tokio::select! {
                biased;
                Some(item) = self.items.recv() => return Some(Ok(item)),
                outcome = producing => {
                    self.outcome = outcome;
                    self.producing = None;
                }
            }
        }
        if let Some(item) = self.items.recv().await {
            return Some(Ok(item));
        }
        std::mem::replace(&mut self.outcome, Ok(())).err().map(Err)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::StreamExt;

    use super::*;

    #[tokio::test]
    async fn items_come_in_order_and_the_error_last() {
        let stream = produced(|mut sink: Sink<usize>| async move {
            for item in 0..100 {
                sink.put(item).await;
            }
            Err("broken")
        });
        let all: Vec<Result<usize, &str>> = stream.collect().await;
        let expected = (0..100).map(Ok).chain([Err("broken")]);
        assert_eq!(all, expected.collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn what_is_not_taken_is_not_made() {
        let made = AtomicUsize::new(0);
        let mut stream = pin!(produced(|mut sink: Sink<usize>| {
            let made = &made;
            async move {
                for _ in 0..1000 {
                    sink.put(made.fetch_add(1, Ordering::Relaxed)).await;
                }
                Ok::<(), ()>(())
            }
        }));
        assert_eq!(made.load(Ordering::Relaxed), 0);
        for taken in 0..10 {
            assert_eq!(stream.next().await, Some(Ok(taken)));
            assert!(made.load(Ordering::Relaxed) <= taken + AHEAD + 2);
        }
    }

    #[tokio::test]
    async fn a_producer_that_made_nothing_is_an_empty_stream() {
        let stream = produced(|_: Sink<usize>| async { Ok::<(), ()>(()) });
        assert_eq!(stream.count().await, 0);
    }
}

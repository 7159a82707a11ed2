//! Owns the workers, one per node, and the list of nodes that they are made from.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use futures_util::future::join_all;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::lists::Lists;
use crate::node::Node;
use crate::shared::Shared;
use crate::worker::Worker;

/// How often the lists of nodes are read again.
const REFRESH: Duration = Duration::from_mins(1);

/// Whether a pass over all nodes copied everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    Complete,
    Incomplete,
}

/// Keeps a worker for every node until `stop` is cancelled, and then waits for them.
///
/// # Errors
///
/// When a worker ends unasked.
pub(crate) async fn run(shared: &Arc<Shared>, stop: &CancellationToken) -> anyhow::Result<()> {
    let mut workers = Workers::default();
    let mut lists = Lists::new(shared);
    // a database that does not answer must not keep the nodes that are known from being asked
    workers.adjust_to(lists.nodes(), shared, stop);
    for step in Step::forever(lists.sources()) {
        let carry_out = async {
            match step {
                Step::Refresh(source) => _ = lists.refresh(source).await,
                Step::Wait => tokio::time::sleep(REFRESH).await,
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            ended = workers.next_unasked() => bail!("the worker of the node {ended} ended unasked"),
            () = carry_out => {}
        }
        workers.adjust_to(lists.nodes(), shared, stop);
    }
    while workers.tasks.join_next().await.is_some() {}
    Ok(())
}

/// What is done between looking after the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Reading the list of one source; what it lists is used before the next one is asked.
    Refresh(usize),
    /// Waiting.
    Wait,
}

impl Step {
    /// Every source, then a pause, again and again.
    fn forever(sources: usize) -> impl Iterator<Item = Self> {
        (0..sources).map(Self::Refresh).chain([Self::Wait]).cycle()
    }
}

/// Makes one pass over all nodes at the same time; one that is stopped is not complete.
pub(crate) async fn run_once(shared: &Arc<Shared>, stop: &CancellationToken) -> Pass {
    let pass = async {
        let mut lists = Lists::new(shared);
        let mut complete = true;
        for source in 0..lists.sources() {
            complete &= lists.refresh(source).await;
        }
        let nodes = lists.nodes();
        if nodes.is_empty() {
            tracing::warn!("there is no node to copy from");
        }
        let passes = nodes.into_iter().map(|node| Worker::new(Arc::clone(shared), node).run_once());
        let passes = join_all(passes).await;
        complete && passes.into_iter().all(|complete| complete)
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => Pass::Incomplete,
        complete = pass => if complete { Pass::Complete } else { Pass::Incomplete },
    }
}

/// The workers that run.
#[derive(Default)]
struct Workers {
    tasks: JoinSet<()>,
    running: HashMap<Id, (Node, CancellationToken)>,
}

impl Workers {
    /// Stops the workers of nodes that are not among `nodes`, and starts those that are missing.
    fn adjust_to(&mut self, nodes: Vec<Node>, shared: &Arc<Shared>, stop: &CancellationToken) {
        self.running.retain(|_, (node, stop)| {
            let stays = nodes.contains(node);
            if !stays {
                tracing::info!(%node, "is no longer copied from");
                stop.cancel();
            }
            stays
        });
        for node in nodes {
            if self.running.values().any(|(running, _)| *running == node) {
                continue;
            }
            tracing::info!(?node, "is copied from");
            let stop = stop.child_token();
            let worker = Worker::new(Arc::clone(shared), node.clone()).run(stop.clone());
            let id = self.tasks.spawn(worker).id();
            self.running.insert(id, (node, stop));
        }
    }

    /// The node of the next worker that ends although nobody asked it to, which can only be by a panic.
    ///
    /// Cancel safety: nothing is lost when the future is dropped.
    async fn next_unasked(&mut self) -> Node {
        loop {
            let id = match self.tasks.join_next_with_id().await {
                Some(Ok((id, ()))) => id,
                Some(Err(error)) => error.id(),
                None => std::future::pending().await,
            };
            if let Some((node, stop)) = self.running.remove(&id)
                && !stop.is_cancelled()
            {
                return node;
            }
        }
    }
}

#[cfg(test)]
mod tests;

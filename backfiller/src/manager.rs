//! Owns the workers, one per node, and the list of nodes that they are made from.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use futures_util::future::join_all;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::node::Node;
use crate::shared::Shared;
use crate::sources::Source;
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
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            ended = workers.next_unasked() => bail!("the worker of the node {ended} ended unasked"),
            _ = lists.refresh() => {}
        }
        workers.adjust_to(lists.nodes(), shared, stop);
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            ended = workers.next_unasked() => bail!("the worker of the node {ended} ended unasked"),
            () = tokio::time::sleep(REFRESH) => {}
        }
    }
    while workers.tasks.join_next().await.is_some() {}
    Ok(())
}

/// Makes one pass over all nodes at the same time; one that is stopped is not complete.
pub(crate) async fn run_once(shared: &Arc<Shared>, stop: &CancellationToken) -> Pass {
    let pass = async {
        let mut lists = Lists::new(shared);
        let failed = lists.refresh().await;
        let nodes = lists.nodes();
        if nodes.is_empty() {
            tracing::warn!("there is no node to copy from");
        }
        let passes = nodes.into_iter().map(|node| Worker::new(Arc::clone(shared), node).run_once());
        let complete = join_all(passes).await;
        failed == 0 && complete.into_iter().all(|complete| complete)
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => Pass::Incomplete,
        complete = pass => if complete { Pass::Complete } else { Pass::Incomplete },
    }
}

/// The last known list of nodes from each source.
struct Lists<'a> {
    shared: &'a Shared,
    known: Vec<Vec<Node>>,
}

impl<'a> Lists<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self { shared, known: vec![Vec::new(); shared.sources.0.len()] }
    }

    /// Reads all lists again; returns how many failed, or had an item that names no node. The last
    /// one known of a source that fails stays.
    async fn refresh(&mut self) -> usize {
        let sources = &self.shared.sources.0;
        let lists = join_all(sources.iter().map(Source::list)).await;
        let mut failed = 0;
        for (known, listed) in self.known.iter_mut().zip(lists) {
            let bad = match listed {
                Ok((nodes, bad)) => {
                    *known = nodes;
                    bad
                }
                Err(error) => {
                    let nodes = known.len();
                    tracing::error!(
                        nodes,
                        "cannot {error:#}; the nodes known from there stay in use"
                    );
                    1
                }
            };
            if bad > 0 {
                self.shared.metrics.node_list_failed();
                failed += 1;
            }
        }
        failed
    }

    /// All nodes but this one. Of several with the same name or address, the first counts.
    fn nodes(&self) -> Vec<Node> {
        let config = &self.shared.config;
        let mut nodes: Vec<Node> = Vec::new();
        for node in config.static_nodes.iter().chain(self.known.iter().flatten()) {
            let is_known =
                nodes.iter().any(|known| known.name() == node.name() || known.url() == node.url());
            if !is_known && !config.own_name.is_of(node) {
                nodes.push(node.clone());
            }
        }
        nodes
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
            let span = tracing::info_span!("worker", %node);
            let id = self.tasks.spawn(worker.instrument(span)).id();
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
mod tests {
    use clap::Parser;
    use common::metrics::Metrics;
    use common::service::Context;

    use super::*;
    use crate::config::{Config, Options};

    fn shared(arguments: &[&str]) -> (tempfile::TempDir, Arc<Shared>) {
        let base = tempfile::tempdir().unwrap();
        let base_dir = format!("--base-dir={}", base.path().display());
        let arguments = [&["backfiller", "chan", &base_dir], arguments].concat();
        let config = Config::new(Options::try_parse_from(arguments).unwrap()).unwrap();
        (base, Arc::new(Shared::new(&Context::new(Metrics::empty()), config)))
    }

    fn names(nodes: &[Node]) -> Vec<&str> {
        nodes.iter().map(Node::name).collect()
    }

    #[tokio::test]
    async fn the_last_known_list_stays_in_use() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let argument = format!("--node-file={}", file.path().display());
        let (_base, shared) = shared(&["--static-nodes=http://a", &argument]);
        let mut lists = Lists::new(&shared);
        assert_eq!(names(&lists.nodes()), ["a"], "before any list was read");
        std::fs::write(file.path(), "b http://host-b\nc http://host-c\n").unwrap();
        assert_eq!(lists.refresh().await, 0);
        assert_eq!(names(&lists.nodes()), ["a", "b", "c"]);
        std::fs::write(file.path(), b"\xff").unwrap();
        assert_eq!(lists.refresh().await, 1);
        assert_eq!(names(&lists.nodes()), ["a", "b", "c"]);
        std::fs::write(file.path(), "c http://host-c\nd http://a\n").unwrap();
        assert_eq!(lists.refresh().await, 0);
        assert_eq!(names(&lists.nodes()), ["a", "c"], "d is a by another name");
    }

    #[tokio::test]
    async fn workers_come_and_go_with_the_list() {
        let (_base, shared) = shared(&[]);
        let node =
            |name: &str, port: u16| Node::named(name, &format!("http://127.0.0.1:{port}")).unwrap();
        let stop = CancellationToken::new();
        let mut workers = Workers::default();
        workers.adjust_to(vec![node("a", 1), node("b", 1)], &shared, &stop);
        assert_eq!(workers.tasks.len(), 2);
        // b has moved
        workers.adjust_to(vec![node("a", 1), node("b", 2)], &shared, &stop);
        assert_eq!((workers.tasks.len(), workers.running.len()), (3, 2));
        assert!(
            workers.tasks.join_next().await.unwrap().is_ok(),
            "the one that is not needed ends"
        );
        workers.adjust_to(vec![node("a", 1), node("b", 2)], &shared, &stop);
        assert_eq!(workers.tasks.len(), 2, "nothing to do");
        stop.cancel();
        while let Some(ended) = workers.tasks.join_next().await {
            ended.unwrap();
        }
    }

    #[tokio::test]
    async fn a_worker_that_dies_is_noticed() {
        let mut workers = Workers::default();
        let node = Node::at("http://a").unwrap();
        let id = workers.tasks.spawn(async { panic!("on purpose") }).id();
        workers.running.insert(id, (node.clone(), CancellationToken::new()));
        assert_eq!(workers.next_unasked().await, node);
    }
}

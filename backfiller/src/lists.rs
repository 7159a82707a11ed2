//! The nodes that are known, from all sources together.

use futures_util::future::join_all;

use crate::node::Node;
use crate::shared::Shared;
use crate::sources::Source;

/// The last known list of nodes from each source.
pub(crate) struct Lists<'a> {
    shared: &'a Shared,
    known: Vec<Vec<Node>>,
}

impl<'a> Lists<'a> {
    pub(crate) fn new(shared: &'a Shared) -> Self {
        Self { shared, known: vec![Vec::new(); shared.sources.0.len()] }
    }

    /// Reads all lists again; returns how many failed, or had an item that names no node. The last
    /// one known of a source that fails stays.
    pub(crate) async fn refresh(&mut self) -> usize {
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
    pub(crate) fn nodes(&self) -> Vec<Node> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::tests::shared;

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
}

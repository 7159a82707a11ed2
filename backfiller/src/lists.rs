//! The nodes that are known, from all sources together.

use crate::node::Node;
use crate::shared::Shared;
use crate::sources::Source;

/// The last known list of nodes from each source.
pub(crate) struct Lists<'a> {
    shared: &'a Shared,
    known: Vec<(&'a Source, Vec<Node>)>,
}

impl<'a> Lists<'a> {
    pub(crate) fn new(shared: &'a Shared) -> Self {
        let sources = shared.sources.0.iter();
        Self { shared, known: sources.map(|source| (source, Vec::new())).collect() }
    }

    /// How many sources there are.
    pub(crate) fn sources(&self) -> usize {
        self.known.len()
    }

    /// Reads the list of the source number `source` again; returns whether it could be read and every
    /// item of it names a node. When it cannot be read, the last one known stays.
    pub(crate) async fn refresh(&mut self, source: usize) -> bool {
        let (source, known) = &mut self.known[source];
        let is_good = match source.list().await {
            Ok((nodes, bad)) => {
                *known = nodes;
                bad == 0
            }
            Err(error) => {
                let nodes = known.len();
                tracing::error!(nodes, "cannot {error:#}; the nodes known from there stay in use");
                false
            }
        };
        if !is_good {
            self.shared.metrics.node_list_failed();
        }
        is_good
    }

    /// All nodes but this one. Of several with the same name or address, the first counts.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        let config = &self.shared.config;
        let mut nodes: Vec<Node> = Vec::new();
        for node in config.static_nodes.iter().chain(self.known.iter().flat_map(|(_, nodes)| nodes))
        {
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
        assert!(lists.refresh(0).await);
        assert_eq!(names(&lists.nodes()), ["a", "b", "c"]);
        std::fs::write(file.path(), b"\xff").unwrap();
        assert!(!lists.refresh(0).await);
        assert_eq!(names(&lists.nodes()), ["a", "b", "c"]);
        std::fs::write(file.path(), "c http://host-c\nd http://a\n").unwrap();
        assert!(lists.refresh(0).await);
        assert_eq!(names(&lists.nodes()), ["a", "c"], "d is a by another name");
    }
}

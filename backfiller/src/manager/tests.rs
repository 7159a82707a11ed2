use super::*;
use crate::shared::tests::shared;

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
    assert!(workers.tasks.join_next().await.unwrap().is_ok(), "the one that is not needed ends");
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

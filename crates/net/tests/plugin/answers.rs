//! Answers that break the contract: none is believed, and the next call is as good as the first.

use jail_net::plugin::sdk::{Backend, Failure, Kind, Support};
use jail_net::plugin::{self, Plugin};

use crate::make::{bad, directory};

/// A plugin that answers every call with this C statement.
fn plugin(statement: &str) -> Plugin {
    let directory = directory();
    plugin::load(&bad(&directory, &[&format!("PROBE={statement}")])).unwrap()
}

async fn probe(statement: &str) -> Failure {
    let plugin = plugin(statement);
    let failure = plugin.probe().await.unwrap_err();
    assert_eq!(plugin.probe().await.unwrap_err(), failure, "asked again, it answers again");
    assert_eq!((&*failure.operation, &*failure.stage), ("probe", "network"));
    failure
}

/// Whether the sentence is `the plugin FILE, asked for probe,` and then `rest`.
fn says(failure: &Failure, rest: &str) -> bool {
    failure.kind == Kind::Failed
        && failure.message == format!("the plugin {}, asked for probe, {rest}", failure.object)
}

#[tokio::test]
async fn a_good_answer_is_believed() {
    assert_eq!(plugin(r#"say("{\"ok\":{\"support\":\"yes\"}}")"#).probe().await, Ok(Support::Yes));
}

#[tokio::test]
async fn no_answer_is_an_error() {
    let failure = probe("reply->data = 0").await;
    assert!(says(&failure, "gave no answer"), "{failure}");
    let failure = probe("(void)0").await;
    assert!(says(&failure, "gave no answer"), "{failure}");
}

#[tokio::test]
async fn a_gigantic_answer_is_not_read() {
    let failure = probe("gigantic(reply)").await;
    let rest = "gave an answer of 9223372036854775807 bytes, where 4194304 are the most";
    assert!(says(&failure, rest), "{failure}");
}

#[tokio::test]
async fn an_answer_that_is_not_utf8_is_an_error() {
    let failure = probe(r#"say("{\"ok\":\"\xff\xfe\"}")"#).await;
    assert!(says(&failure, "gave an answer that is not UTF-8"), "{failure}");
}

#[tokio::test]
async fn an_answer_that_is_no_json_or_of_another_shape_is_an_error() {
    for statement in [
        "say(\"\")",
        "say(\"garbage\")",
        "say(\"{}\")",
        "say(\"{\\\"ok\\\":7}\")",
        "say(\"{\\\"ok\\\":null} and more\")",
        "say(\"{\\\"error\\\":\\\"no\\\"}\")",
        "say(\"\\0\\0\\0\")",
    ] {
        let failure = probe(statement).await;
        assert!(failure.message.contains("gave an answer that makes no sense ("), "{failure}");
    }
}

#[tokio::test]
async fn a_deeply_nested_answer_does_not_exhaust_the_stack() {
    let statement =
        "{ char deep[100000]; memset(deep, '[', sizeof deep); answer(reply, deep, sizeof deep); }";
    assert!(probe(statement).await.message.contains("makes no sense"));
}

#[tokio::test]
async fn an_error_needs_only_a_kind_and_a_message() {
    let failure =
        probe(r#"say("{\"error\":{\"kind\":\"conflict\",\"message\":\"port 80 is taken\"}}")"#).await;
    assert_eq!((failure.kind, failure.to_string()), (Kind::Conflict, "port 80 is taken".into()));
}

import ArgumentParser
import Detection

@main
struct Apus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Detects attacks in security events while they pass through Kafka.",
        discussion: """
            Apus reads events in ECS (Elastic Common Schema) from Kafka topics, evaluates EQL detection rules on \
            them, correlates per host, and writes alerts to a Kafka topic.

            Start here:
              apus demo                              everything at once, on an embedded broker
              apus check config/rules                are the rules valid?
              apus test config/rules                 do they find what their tests say?
              apus eval --rules config/rules FILE    which alerts would these events raise?
              apus query 'process where true' FILE   which events match this query?
              apus explain RULE FILE                 why does this rule match these events, or not?
              apus normalize FILE                    what do rules see of records that are not ECS?
              apus run --config config/apus.yaml     read from Kafka, for good
              apus tail --config config/apus.yaml    which alerts are raised?
              apus top                               what do running instances do?

            \(ExitStatus.help)
            """,
        version: "apus \(Engine.version)",
        subcommands: [
            Run.self, Demo.self, Check.self, Test.self, CoverageCommand.self, Eval.self, QueryCommand.self,
            Explain.self, Normalize.self, Backtest.self, RulesCommand.self, Tail.self, Top.self,
            DeadLetterCommand.self, TrafficCommand.self, BrokerCommand.self, Health.self, ConfigCommand.self,
            ManualCommand.self,
        ])
}

//! Logs on standard error, and traces by OTLP where the environment names a
//! collector. What is logged at info level and what is traced names
//! integrations, never people.

use std::{env, io::IsTerminal};

use clap::ValueEnum;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Level, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, filter::Targets, layer::SubscriberExt, registry::LookupSpan, util::SubscriberInitExt,
};

use crate::http;

/// What is logged where `RUST_LOG` says nothing. The controller's own span
/// around ours would say the same in more words.
const USUAL: &str = "info,kube_runtime=warn";

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// An object in each line.
    Json,
}

/// The traces are set, and cannot be sent as it is.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be sent as the variables OTEL_EXPORTER_OTLP_* say: {0}")]
pub struct NoTraces(#[from] opentelemetry_otlp::ExporterBuildError);

/// What is to be ended with the program.
#[derive(Debug)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Begins to log, by `RUST_LOG`, and to trace, by the variables of
    /// OpenTelemetry: `OTEL_EXPORTER_OTLP_ENDPOINT`, which asks for it, and those
    /// for headers, timeout, sampler, service name and attributes.
    ///
    /// # Errors
    /// What is wrong with these variables.
    pub fn begin(format: LogFormat) -> Result<Self, NoTraces> {
        let traces = if wants_traces(|name| env::var(name).ok()) {
            Some(traces()?)
        } else {
            None
        };
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL));
        tracing_subscriber::registry()
            .with(log(format).with_filter(filter))
            .with(traces.as_ref().map(spans))
            .init();
        Ok(Self { traces })
    }

    /// Sends what is still to be sent.
    pub async fn end(self) {
        let Some(traces) = self.traces else { return };
        // It waits for the thread that sends.
        let ended = tokio::task::spawn_blocking(move || traces.shutdown()).await;
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last traces could not be sent"),
            Err(error) => tracing::warn!(%error, "the last traces were not sent"),
        }
    }
}

/// Whether the environment asks for traces.
fn wants_traces(variable: impl Fn(&str) -> Option<String>) -> bool {
    let given = |name| variable(name).filter(|value| !value.trim().is_empty());
    let is_off = given("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || given("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
    let endpoint =
        given("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| given("OTEL_EXPORTER_OTLP_ENDPOINT"));
    endpoint.is_some() && !is_off
}

fn traces() -> Result<SdkTracerProvider, NoTraces> {
    http::install_crypto_provider();
    let exporter = SpanExporter::builder().with_http().build()?;
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES are read by the builder and win.
    let mut resource = Resource::builder();
    if env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name(env!("CARGO_PKG_NAME"));
    }
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.with_attribute(version).build())
        .build())
}

/// Our own spans and what is logged in them, at info level whatever `RUST_LOG`
/// says: below it, lines may name people.
fn spans<S>(traces: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_opentelemetry::layer()
        .with_tracer(traces.tracer(env!("CARGO_PKG_NAME")))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(Targets::new().with_target("okta_insightful_operator", Level::INFO))
}

fn log<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_off_unless_a_collector_is_named() {
        const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        for (variables, wanted) in [
            (&[][..], false),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")], false),
            (&[ENDPOINT], true),
            (
                &[(
                    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                    "http://collector:4318/v1/traces",
                )],
                true,
            ),
            (&[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")], false),
            (&[ENDPOINT, ("OTEL_SDK_DISABLED", "false")], true),
            (&[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")], false),
            (&[ENDPOINT, ("OTEL_TRACES_EXPORTER", "otlp")], true),
        ] {
            let variable = |name: &str| {
                let found = variables.iter().find(|(given, _)| *given == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(wants_traces(variable), wanted, "{variables:?}");
        }
    }
}

//! Logs on standard error, and traces by OTLP if the environment names a collector. Neither names people at info
//! level and above.

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

/// The log filter without `RUST_LOG`. kube-runtime's spans repeat the operator's own.
const DEFAULT_FILTER: &str = "info,kube_runtime=warn";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Plain text.
    Text,
    /// One JSON object per line.
    Json,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot set up traces; check the environment variables OTEL_EXPORTER_OTLP_*: {0}")]
pub struct TracesError(#[from] opentelemetry_otlp::ExporterBuildError);

#[derive(Debug)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Sets up logs by `RUST_LOG`, and traces by the variables of OpenTelemetry: `OTEL_EXPORTER_OTLP_ENDPOINT`
    /// turns them on; headers, timeout, sampler, service name and attributes have variables of their own.
    pub fn begin(format: LogFormat) -> Result<Self, TracesError> {
        let traces = if wants_traces(|name| env::var(name).ok()) {
            Some(traces()?)
        } else {
            None
        };
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
        tracing_subscriber::registry()
            .with(log(format).with_filter(filter))
            .with(traces.as_ref().map(spans))
            .init();
        Ok(Self { traces })
    }

    /// Sends the remaining traces.
    pub async fn end(self) {
        let Some(traces) = self.traces else { return };
        // `shutdown` blocks until the exporting thread has ended.
        let ended = tokio::task::spawn_blocking(move || traces.shutdown()).await;
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "could not send the last traces"),
            Err(error) => tracing::warn!(%error, "could not send the last traces"),
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

fn traces() -> Result<SdkTracerProvider, TracesError> {
    http::install_crypto_provider();
    let exporter = SpanExporter::builder().with_http().build()?;
    // The builder reads OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, which take precedence.
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

/// The operator's spans and the log lines in them. Always at info level, since lines below it may name people.
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

//! Logs on standard error, and traces by OTLP if the environment names a collector. Neither names the people who are
//! synced at info level and above, except the audit lines with `--audit-values`.

use std::{env, io};

use clap::ValueEnum;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Level, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::{
    http,
    model::text::{shown, shown_json},
    rules::audit,
};

/// The log filter without `RUST_LOG`. kube-runtime's spans and warnings repeat the operator's own.
const DEFAULT_FILTER: &str = "info,kube_runtime=error";

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
        let given = env::var(EnvFilter::DEFAULT_ENV).ok();
        tracing_subscriber::registry()
            .with(log(format, io::stderr).with_filter(filter(given.as_deref())))
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

/// The log filter for a value of `RUST_LOG`, or the default one if that is not valid. Whoever wants fewer lines does
/// not mean the audit lines, unless they are named.
fn filter(given: Option<&str>) -> EnvFilter {
    let with_audit = |given: &str| {
        let mut targets = given
            .split(',')
            .filter_map(|directive| directive.split(['=', '[']).next());
        match targets.any(|target| target.trim() == audit::TARGET) {
            true => given.to_owned(),
            false => format!("{given},{}=info", audit::TARGET),
        }
    };
    let given = given.filter(|given| !given.is_empty());
    let valid = given.and_then(|given| EnvFilter::try_new(with_audit(given)).ok());
    valid.unwrap_or_else(|| EnvFilter::new(DEFAULT_FILTER))
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

/// Without colours: an escape code in a line is one from outside, and is shown as such.
fn log<S, M>(format: LogFormat, maker: M) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    M: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let lines = fmt::layer()
        .with_ansi(false)
        // `shown` escapes more, and in fields, too.
        .with_ansi_sanitization(false)
        .with_writer(ShownLines { maker, format });
    match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    }
}

/// Shows what a line hides: names come from outside.
struct ShownLines<M> {
    maker: M,
    format: LogFormat,
}

impl<'writer, M: MakeWriter<'writer>> MakeWriter<'writer> for ShownLines<M> {
    type Writer = ShownLine<M::Writer>;

    fn make_writer(&'writer self) -> Self::Writer {
        ShownLine {
            out: self.maker.make_writer(),
            format: self.format,
        }
    }
}

struct ShownLine<W> {
    out: W,
    format: LogFormat,
}

impl<W: io::Write> io::Write for ShownLine<W> {
    /// `line` is all of an event, with the line break that ends it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = match self.format {
            LogFormat::Text => shown(text),
            LogFormat::Json => shown_json(text),
        };
        self.out.write_all(format!("{text}\n").as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use super::*;

    #[test]
    fn a_name_cannot_end_a_line_of_the_log_or_direct_a_terminal() {
        let name = "Jane\u{1b}[2J\n\u{9b}31mDoe\u{202e}";
        let lines = |format| {
            let file = tempfile::NamedTempFile::new().unwrap();
            let written = Arc::new(file.reopen().unwrap());
            let subscriber = tracing_subscriber::registry().with(log(format, written));
            tracing::subscriber::with_default(subscriber, || {
                let _span = tracing::info_span!("sync", person = %name).entered();
                let error = io::Error::other(name);
                tracing::warn!(person = %name, debug = ?name, text = name, %error, "cannot write {name}");
            });
            fs::read_to_string(file.path()).unwrap()
        };
        let text = lines(LogFormat::Text);
        let line = text.strip_suffix('\n').unwrap();
        assert_eq!(shown(line), line);
        assert!(
            line.contains(r"cannot write Jane\u{1b}[2J\u{a}\u{9b}31mDoe\u{202e}"),
            "{line}"
        );
        let json = lines(LogFormat::Json);
        let line = json.strip_suffix('\n').unwrap();
        assert_eq!(shown(line), line);
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            event["fields"]["person"], name,
            "JSON has the name itself, escaped"
        );
    }

    #[test]
    fn audit_lines_are_written_unless_the_filter_names_them() {
        for (given, written) in [
            (None, [true, true, false]),
            (Some(""), [true, true, false]),
            (Some("error"), [true, false, false]),
            (Some("off"), [true, false, false]),
            (Some("warn,okta_insightful_operator=info"), [true, true, false]),
            (Some("debug"), [true, true, true]),
            (Some("audit=off"), [false, false, false]),
            (Some("info,audit=warn"), [false, true, true]),
            // Not a filter.
            (Some("info,,=="), [true, true, false]),
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            let lines = log(LogFormat::Json, Arc::new(file.reopen().unwrap())).with_filter(filter(given));
            tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
                tracing::info!(target: audit::TARGET, "1");
                tracing::info!(target: "okta_insightful_operator", "2");
                tracing::info!(target: "kube_runtime::controller", "3");
            });
            let log = fs::read_to_string(file.path()).unwrap();
            let has = |message: &str| log.contains(&format!(r#""message":"{message}""#));
            assert_eq!([has("1"), has("2"), has("3")], written, "{given:?}: {log}");
        }
    }

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

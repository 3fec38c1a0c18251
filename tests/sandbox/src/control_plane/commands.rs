//! Runs kubectl and helm.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::{ControlPlane, Error, Program};

impl ControlPlane {
    /// Runs `kubectl` as the admin and returns its standard output. An exit code other than 0 is an error.
    pub async fn kubectl<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<String, Error> {
        self.kubectl_as(self.admin_kubeconfig(), arguments).await
    }

    /// Runs `kubectl` with another kubeconfig.
    pub async fn kubectl_as<A: AsRef<OsStr>>(
        &self,
        kubeconfig: &Path,
        arguments: &[A],
    ) -> Result<String, Error> {
        run(self.command(Program::Kubectl, kubeconfig, arguments)?, "").await
    }

    /// Applies YAML manifests as the admin, by server-side apply.
    pub async fn apply(&self, manifests: &str) -> Result<String, Error> {
        self.apply_as(self.admin_kubeconfig(), manifests).await
    }

    /// Applies YAML manifests with another kubeconfig.
    pub async fn apply_as(&self, kubeconfig: &Path, manifests: &str) -> Result<String, Error> {
        let arguments = ["apply", "--server-side", "--filename", "-"];
        run(self.command(Program::Kubectl, kubeconfig, &arguments)?, manifests).await
    }

    /// Runs `helm` as the admin and returns its standard output. The first call may build helm, which takes minutes.
    pub async fn helm<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<String, Error> {
        super::provide(&[Program::Helm]).await?;
        run(
            self.command(Program::Helm, self.admin_kubeconfig(), arguments)?,
            "",
        )
        .await
    }

    fn command<A: AsRef<OsStr>>(
        &self,
        program: Program,
        kubeconfig: &Path,
        arguments: &[A],
    ) -> Result<Command, Error> {
        let mut command = program.command(kubeconfig, &self.directory().join("home"))?;
        command.args(arguments);
        Ok(command)
    }
}

async fn run(mut command: Command, input: &str) -> Result<String, Error> {
    let line = {
        let command = command.as_std();
        let program = Path::new(command.get_program())
            .file_name()
            .unwrap_or(command.get_program());
        let words = std::iter::once(program).chain(command.get_args());
        words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
    };
    let failed = || Error::io(format!("run `{line}`"));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed())?;
    let stdin = child.stdin.take();
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A program that exits early reports its own error.
            drop(stdin.write_all(input.as_bytes()).await);
        }
    };
    let ((), output) = tokio::join!(feed, child.wait_with_output());
    let output = output.map_err(failed())?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Command {
            command: line,
            status: output.status,
            stderr,
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

//! kubectl and helm, as an admin or anyone else would type them.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::{ControlPlane, Error, Program};

impl ControlPlane {
    /// Runs `kubectl` with these arguments as the admin; gives its standard
    /// output.
    ///
    /// # Errors
    /// When it exits with another code than 0.
    pub async fn kubectl<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<String, Error> {
        self.kubectl_as(self.admin_kubeconfig(), arguments).await
    }

    /// Runs `kubectl` with these arguments and another kubeconfig.
    ///
    /// # Errors
    /// When it exits with another code than 0.
    pub async fn kubectl_as<A: AsRef<OsStr>>(
        &self,
        kubeconfig: &Path,
        arguments: &[A],
    ) -> Result<String, Error> {
        run(self.command(Program::Kubectl, kubeconfig, arguments)?, "").await
    }

    /// Applies manifests, given as YAML, by server-side apply as the admin:
    /// `kubectl apply`, so what the server refuses is an error with its words.
    ///
    /// # Errors
    /// When the server refuses one of them.
    pub async fn apply(&self, manifests: &str) -> Result<String, Error> {
        self.apply_as(self.admin_kubeconfig(), manifests).await
    }

    /// Applies manifests like [`apply`](Self::apply), with another kubeconfig.
    ///
    /// # Errors
    /// When the server refuses one of them.
    pub async fn apply_as(&self, kubeconfig: &Path, manifests: &str) -> Result<String, Error> {
        let arguments = ["apply", "--server-side", "--filename", "-"];
        run(self.command(Program::Kubectl, kubeconfig, &arguments)?, manifests).await
    }

    /// Runs `helm` with these arguments as the admin; gives its standard
    /// output. The first call may build it, which takes minutes.
    ///
    /// # Errors
    /// When it exits with another code than 0, or cannot be found or built.
    pub async fn helm<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<String, Error> {
        super::provide(&[Program::Helm]).await?;
        run(
            self.command(Program::Helm, self.admin_kubeconfig(), arguments)?,
            "",
        )
        .await
    }

    /// Neither program sees or leaves anything in the developer's home.
    fn command<A: AsRef<OsStr>>(
        &self,
        program: Program,
        kubeconfig: &Path,
        arguments: &[A],
    ) -> Result<Command, Error> {
        let home = self.directory().join("home");
        let mut command = Command::new(program.path()?);
        command
            .args(arguments)
            .env("KUBECONFIG", kubeconfig)
            .env("HELM_CACHE_HOME", home.join("helm/cache"))
            .env("HELM_CONFIG_HOME", home.join("helm/config"))
            .env("HELM_DATA_HOME", home.join("helm/data"))
            .env("HOME", home)
            .kill_on_drop(true);
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
            // A program that ends before it has read all says why itself.
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

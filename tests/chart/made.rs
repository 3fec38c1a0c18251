//! What a release made, as helm and the API server say.

use serde_json::Value;

/// A release, installed.
pub struct Made {
    /// The Deployment, as the API server has it.
    pub deployment: Value,
    /// Every object of the release, as helm sent it.
    pub objects: Vec<Value>,
    /// The Pod of `helm test`.
    pub check: Value,
    /// What helm says after the installation.
    pub notes: String,
}

impl Made {
    pub fn pod(&self) -> &Value {
        &self.deployment["spec"]["template"]["spec"]
    }

    pub fn container(&self) -> &Value {
        &self.pod()["containers"][0]
    }

    pub fn arguments(&self) -> Vec<&str> {
        texts(&self.container()["args"])
    }

    pub fn name(&self) -> &str {
        self.deployment["metadata"]["name"].as_str().unwrap()
    }

    /// The startup, liveness and readiness probe.
    pub fn probes(&self) -> [&Value; 3] {
        ["startupProbe", "livenessProbe", "readinessProbe"].map(|probe| &self.container()[probe])
    }

    /// The value of an environment variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let variables = self.container()["env"].as_array().unwrap();
        let variable = variables.iter().find(|variable| variable["name"] == name)?;
        variable["value"].as_str()
    }

    pub fn all(&self, kind: &str) -> Vec<&Value> {
        self.objects
            .iter()
            .filter(|object| object["kind"] == kind)
            .collect()
    }

    /// The only object of a kind.
    pub fn one(&self, kind: &str) -> &Value {
        let all = self.all(kind);
        assert_eq!(all.len(), 1, "{kind}: {all:#?}");
        all[0]
    }

    /// The ports to which a NetworkPolicy lets the pods speak.
    pub fn open_ports(&self) -> Vec<i64> {
        let rules = self.one("NetworkPolicy")["spec"]["egress"].as_array().unwrap();
        let ports = rules.iter().flat_map(|rule| rule["ports"].as_array().unwrap());
        ports.map(|port| port["port"].as_i64().unwrap()).collect()
    }
}

pub fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap();
    list.iter().map(|text| text.as_str().unwrap()).collect()
}

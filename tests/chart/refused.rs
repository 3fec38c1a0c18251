//! Values that the chart rejects, with errors that say where and why.

use sandbox::control_plane::{ControlPlane, Error};

use crate::{CHART, REGISTRY};

#[tokio::test]
async fn an_invalid_value_is_rejected_with_its_path() {
    let plane = ControlPlane::shared();
    for (setting, words) in [
        ("--set=replica=2", "additional properties 'replica' not allowed"),
        (
            "--set=rbac.enabled=false",
            "at '/rbac': additional properties 'enabled' not allowed",
        ),
        ("--set=replicas=10", "at '/replicas': maximum: got 10, want 9"),
        ("--set=replicas=-1", "at '/replicas': minimum: got -1, want 0"),
        ("--set=image.repository=", "at '/image/repository': minLength"),
        (
            "--set=image.pullPolicy=Sometimes",
            "value must be one of 'Always', 'IfNotPresent', 'Never'",
        ),
        ("--set=image.tag=5", "at '/image/tag': got number, want string"),
        // A digest has a separate value.
        (
            "--set=image.tag=1.0@sha256:9f2c",
            "at '/image/tag': '1.0@sha256:9f2c' does not match pattern",
        ),
        (
            "--set=image.digest=sha256:9f2c",
            "at '/image/digest': 'sha256:9f2c' does not match pattern",
        ),
        (
            "--set=imagePullSecrets={registry}",
            "at '/imagePullSecrets/0': got string, want object",
        ),
        ("--set=oktaDomains={https://acme.okta.com}", "at '/oktaDomains/0'"),
        ("--set=oktaDomains={example}", "at '/oktaDomains/0'"),
        ("--set=watchNamespaces={People}", "at '/watchNamespaces/0'"),
        (
            "--set=watchNamespaces={people,people}",
            "items at 0 and 1 are equal",
        ),
        (
            "--set=proxy.httpsProxy=proxy:3128",
            "at '/proxy/httpsProxy': 'proxy:3128' does not match pattern",
        ),
        (
            "--set=proxy.noProxy={a,b}",
            "at '/proxy/noProxy': got array, want string",
        ),
        (
            "--set=caBundle.configMap=one,caBundle.secret=other",
            "caBundle: set configMap or secret, not both",
        ),
        ("--set=caBundle.key=", "at '/caBundle/key'"),
        (
            "--set=rbac.secretNames=okta",
            "at '/rbac/secretNames': got string, want array",
        ),
        (
            "--set=rbac.aggregate=sometimes",
            "at '/rbac/aggregate': got string, want boolean",
        ),
        (
            "--set=finalizePolicy=false",
            "at '/finalizePolicy': got boolean, want object",
        ),
        (
            "--set=crds.install=maybe",
            "at '/crds/install': got string, want boolean",
        ),
        (
            "--set=podLabels.number=1",
            "at '/podLabels/number': got number, want string",
        ),
        (
            "--set=commonLabels.number=1",
            "at '/commonLabels/number': got number, want string",
        ),
        (
            "--set=resources.cpu=1",
            "at '/resources': additional properties 'cpu' not allowed",
        ),
        (
            "--set=extraArgs={run}",
            "at '/extraArgs/0': 'run' does not match pattern",
        ),
        // The chart sets the path of a probe.
        (
            "--set=livenessProbe.httpGet.path=/",
            "at '/livenessProbe': additional properties 'httpGet' not allowed",
        ),
        (
            "--set=hostAliases[0].ip=10.1.2.3",
            "at '/hostAliases/0': missing property 'hostnames'",
        ),
        (
            "--set=dnsPolicy=Mine",
            "at '/dnsPolicy': value must be one of '', 'ClusterFirst'",
        ),
        (
            "--set=dnsConfig.servers={10.0.0.10}",
            "at '/dnsConfig': additional properties 'servers' not allowed",
        ),
        (
            "--set=strategy.type=Canary",
            "at '/strategy/type': value must be one of 'RollingUpdate', 'Recreate'",
        ),
        (
            "--set=extraObjects[0].kind=ConfigMap",
            "at '/extraObjects/0': missing properties 'apiVersion', 'metadata'",
        ),
        (
            "--set=extraContainers[0].image=a",
            "at '/extraContainers/0': missing property 'name'",
        ),
        // nodeSelector has a separate value.
        (
            "--set=podSpecExtra.nodeSelector.a=b",
            "at '/podSpecExtra/nodeSelector': false schema",
        ),
        (
            "--set=logging.format=xml",
            "at '/logging/format': value must be one of '', 'text', 'json'",
        ),
        (
            "--set=namespaceOverride=Ops",
            "at '/namespaceOverride': 'Ops' does not match pattern",
        ),
        (
            "--set=global.imagePullSecrets={registry}",
            "at '/global/imagePullSecrets/0': got string, want object",
        ),
        (
            "--set=global.imageRegistry=https://registry.example",
            "at '/global/imageRegistry': 'https://registry.example' does not match pattern",
        ),
        // Docker Hub has no image of this name.
        (
            "--set=global.imageRegistry=",
            "image.repository \"okta-insightful-operator\" has no registry. Set it to where the image is, such as \
             --set image.repository=registry.example.com/okta-insightful-operator",
        ),
        ("--set=env[0].value=a", "at '/env/0': missing property 'name'"),
        (
            "--set=envFrom[0].configMap=a",
            "at '/envFrom/0': additional properties 'configMap' not allowed",
        ),
        (
            "--set=volumeMounts[0].name=a",
            "at '/volumeMounts/0': missing property 'mountPath'",
        ),
        (
            "--set=affinity.antiAffinity.a=b",
            "at '/affinity': additional properties 'antiAffinity' not allowed",
        ),
        (
            "--set=topologySpreadConstraints[0].maxSkew=1",
            "at '/topologySpreadConstraints/0': missing properties 'topologyKey', 'whenUnsatisfiable'",
        ),
        (
            "--set=stateSizeLimit=much",
            "at '/stateSizeLimit': 'much' does not match pattern",
        ),
        (
            "--set=monitoring.podMonitor.enabled=true,monitoring.serviceMonitor.enabled=true",
            "enable podMonitor or serviceMonitor, not both: each pod would be scraped twice",
        ),
        // Shorter than the operator's own shutdown.
        (
            "--set=terminationGracePeriodSeconds=30",
            "at '/terminationGracePeriodSeconds': minimum: got 30, want 31",
        ),
        (
            "--set=podDisruptionBudget.maxUnavailable=half",
            "at '/podDisruptionBudget/maxUnavailable'",
        ),
        (
            "--set=podDisruptionBudget.minAvailable=1",
            "at '/podDisruptionBudget': additional properties 'minAvailable' not allowed",
        ),
        (
            "--set=serviceAccount.create=false",
            "at '/serviceAccount/name': minLength: got 0, want 1",
        ),
        (
            "--set=networkPolicy.apiServerCidrs={10.0.0.1}",
            "at '/networkPolicy/apiServerCidrs/0': '10.0.0.1' does not match pattern",
        ),
        (
            "--set=networkPolicy.apiServerPorts={70000}",
            "at '/networkPolicy/apiServerPorts/0': maximum: got 70,000, want 65,535",
        ),
        ("--kube-version=1.30.9", "chart requires kubeVersion"),
    ] {
        match plane
            .helm(&["template", "refused", CHART, REGISTRY, setting])
            .await
        {
            Err(Error::Command { stderr, .. }) => assert!(stderr.contains(words), "{setting}: {stderr}"),
            answer => panic!("{setting}: {answer:?}"),
        }
    }
    // Helm passes `global` to every subchart.
    let accepted = ["template", "accepted", CHART, REGISTRY, "--set=global.region=eu"];
    plane.helm(&accepted).await.unwrap();
}

//! Keys, certificates and kubeconfigs.

use std::fs;
use std::path::Path;

use k8s_openapi::ByteString;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose,
};
use serde_json::{Value, json};

use super::Error;

/// A certificate and its key in PEM.
pub(super) struct Identity {
    pub certificate: String,
    pub key: String,
}

pub(super) struct Credentials {
    /// The certificate of the authority that signed both identities.
    pub authority: String,
    pub server: Identity,
    pub admin: Identity,
    /// Signs the tokens of ServiceAccounts.
    pub tokens: KeyPair,
}

impl Credentials {
    /// The authority's key is discarded after it has signed both identities.
    pub(super) fn new() -> Result<Self, Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name = name("sandbox", None);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

        let sign = |subject, names: &[&str], usage| -> Result<Identity, Error> {
            let names: Vec<String> = names.iter().copied().map(str::to_owned).collect();
            let mut params = CertificateParams::new(names)?;
            params.distinguished_name = subject;
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages = vec![usage];
            let key = KeyPair::generate()?;
            let certificate = params.signed_by(&key, &authority)?;
            Ok(Identity {
                certificate: certificate.pem(),
                key: key.serialize_pem(),
            })
        };
        Ok(Self {
            server: sign(
                name("kube-apiserver", None),
                &["127.0.0.1", "localhost", "kubernetes.default.svc"],
                ExtendedKeyUsagePurpose::ServerAuth,
            )?,
            admin: sign(
                name("admin", Some("system:masters")),
                &[],
                ExtendedKeyUsagePurpose::ClientAuth,
            )?,
            tokens: KeyPair::generate()?,
            authority: authority.pem(),
        })
    }
}

fn name(common: &str, organization: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    name
}

/// The `user` section of a kubeconfig with a client certificate.
pub(super) fn certificate_user(identity: &Identity) -> Value {
    json!({
        "client-certificate-data": ByteString(identity.certificate.clone().into_bytes()),
        "client-key-data": ByteString(identity.key.clone().into_bytes()),
    })
}

/// Writes a self-contained kubeconfig. (JSON is YAML.)
pub(super) fn write_kubeconfig(
    path: &Path,
    url: &str,
    authority: &str,
    namespace: &str,
    user: &Value,
) -> Result<(), Error> {
    let authority = ByteString(authority.as_bytes().to_vec());
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sandbox", "cluster": {"server": url, "certificate-authority-data": authority}}],
        "users": [{"name": "sandbox", "user": user}],
        "contexts": [{
            "name": "sandbox",
            "context": {"cluster": "sandbox", "user": "sandbox", "namespace": namespace},
        }],
        "current-context": "sandbox",
    });
    fs::write(path, format!("{config:#}\n")).map_err(Error::io(format!("write {}", path.display())))
}

//! A private certificate authority, TLS servers with its certificates, and a TLS-inspecting proxy.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// A certificate authority that is not in any trust store.
pub struct CertificateAuthority(CertifiedIssuer<'static, KeyPair>);

impl CertificateAuthority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// The root certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Accepts TLS connections with a certificate for these hosts.
    fn acceptor(&self, hosts: &[&str]) -> TlsAcceptor {
        let hosts: Vec<String> = hosts.iter().copied().map(str::to_owned).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(hosts)
            .unwrap()
            .signed_by(&key, &self.0)
            .unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// Starts a local TLS server in front of `backend`. Returns its URL, such as
    /// `https://127.0.0.1:40123`.
    pub async fn server(&self, backend: SocketAddr) -> String {
        let acceptor = self.acceptor(&["127.0.0.1"]);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(terminate_tls(acceptor.clone(), client, backend));
            }
        });
        format!("https://{address}")
    }
}

/// Relays until either side closes the connection. A client that does not trust the certificate
/// closes it during the handshake.
async fn terminate_tls(
    acceptor: TlsAcceptor,
    client: impl AsyncRead + AsyncWrite + Unpin,
    backend: SocketAddr,
) {
    let Ok(mut client) = acceptor.accept(client).await else {
        return;
    };
    let mut service = TcpStream::connect(backend).await.unwrap();
    drop(copy_bidirectional(&mut client, &mut service).await);
}

/// An HTTPS proxy that inspects TLS with certificates of its authority, as companies use.
pub struct Proxy {
    pub url: String,
    /// The targets of CONNECT requests, with port.
    hosts: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts a proxy that relays these hosts (with port) to these services and rejects others.
    pub async fn start(authority: &CertificateAuthority, services: &[(&str, SocketAddr)]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let names: Vec<&str> = services
            .iter()
            .map(|(host, _)| host.split(':').next().unwrap())
            .collect();
        let acceptor = authority.acceptor(&names);
        let services: BTreeMap<String, SocketAddr> = services
            .iter()
            .map(|(host, address)| ((*host).to_owned(), *address))
            .collect();
        let hosts = Arc::<Mutex<Vec<String>>>::default();
        let journal = hosts.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, services, journal) = (acceptor.clone(), services.clone(), journal.clone());
                tokio::spawn(async move {
                    let mut client = BufReader::new(client);
                    let target = connect_target(&mut client).await;
                    journal.lock().unwrap().push(target.clone());
                    let Some(backend) = services.get(&target) else {
                        drop(client.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").await);
                        return;
                    };
                    client
                        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
                        .await
                        .unwrap();
                    terminate_tls(acceptor, client, *backend).await;
                });
            }
        });
        Self { url, hosts }
    }

    /// The distinct hosts that were requested since the last call.
    pub fn take_hosts(&self) -> Vec<String> {
        let mut hosts = std::mem::take(&mut *self.hosts.lock().unwrap());
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }
}

/// Reads `CONNECT host:port HTTP/1.1` and the headers after it.
async fn connect_target(client: &mut BufReader<TcpStream>) -> String {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        client.read_line(&mut line).await.unwrap();
        match line.trim() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let words: Vec<&str> = head
        .first()
        .map(|line| line.split(' ').collect())
        .unwrap_or_default();
    assert!(matches!(words.as_slice(), ["CONNECT", _, "HTTP/1.1"]), "{head:?}");
    words[1].to_owned()
}

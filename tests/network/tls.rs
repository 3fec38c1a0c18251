//! What stands between the operator and the services in a company's network: an
//! authority of its own, servers that it vouches for, and a proxy that opens TLS.

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

/// A certificate authority that no machine knows.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// The certificate that makes others trust it.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Speaks TLS as these hosts.
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

    /// A server on this machine, with TLS, that passes on to `behind`. Gives
    /// its address, such as `https://127.0.0.1:40123`.
    pub async fn server(&self, behind: SocketAddr) -> String {
        let acceptor = self.acceptor(&["127.0.0.1"]);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(open_tls(acceptor.clone(), client, behind));
            }
        });
        format!("https://{address}")
    }
}

/// Ends when either side does; a client that does not trust the certificate
/// ends it at once.
async fn open_tls(acceptor: TlsAcceptor, client: impl AsyncRead + AsyncWrite + Unpin, behind: SocketAddr) {
    let Ok(mut client) = acceptor.accept(client).await else {
        return;
    };
    let mut service = TcpStream::connect(behind).await.unwrap();
    drop(copy_bidirectional(&mut client, &mut service).await);
}

/// A proxy that opens TLS with its authority's certificates, as companies run.
pub struct Proxy {
    pub url: String,
    /// What it was asked to connect to, with port.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// One that takes these hosts (with port) for these services, and knows no others.
    pub async fn start(authority: &Authority, services: &[(&str, SocketAddr)]) -> Self {
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
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let journal = asked.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, services, journal) = (acceptor.clone(), services.clone(), journal.clone());
                tokio::spawn(async move {
                    let mut client = BufReader::new(client);
                    let target = connect_target(&mut client).await;
                    journal.lock().unwrap().push(target.clone());
                    let Some(behind) = services.get(&target) else {
                        drop(client.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").await);
                        return;
                    };
                    client
                        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
                        .await
                        .unwrap();
                    open_tls(acceptor, client, *behind).await;
                });
            }
        });
        Self { url, asked }
    }

    /// The hosts that it was asked for since the last look, each once.
    pub fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort_unstable();
        asked.dedup();
        asked
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

//! Makes TLS connectors for each `sslmode`, through rustls.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::ConnectError;

/// How the server's certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// Not at all: the line is encrypted, the server is not proven.
    Nothing,
    /// Its chain, not its name.
    Chain,
    /// Its chain and its name.
    Full,
}

/// Files for TLS; `None`: not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) root: Option<String>,
    pub(super) certificate: Option<String>,
    pub(super) key: Option<String>,
}

pub(super) fn connector(check: Check, files: &Files) -> Result<MakeRustlsConnect, ConnectError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let wrong = |error: Error| ConnectError::Settings(format!("TLS: {error}"));
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(wrong)?
        .dangerous()
        .with_custom_certificate_verifier(verifier(check, files, provider)?);
    let config = match (&files.certificate, &files.key) {
        (Some(certificate), Some(key)) => {
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
            builder.with_client_auth_cert(certificates(certificate)?, key).map_err(wrong)?
        }
        (None, None) => builder.with_no_client_auth(),
        _ => return Err(ConnectError::Settings("sslcert and sslkey go together".into())),
    };
    Ok(MakeRustlsConnect::new(config))
}

fn verifier(
    check: Check,
    files: &Files,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, ConnectError> {
    let chain = match check {
        Check::Nothing => None,
        Check::Chain | Check::Full => {
            let roots = Arc::new(roots(files.root.as_deref())?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
            Some(verifier.map_err(|error| ConnectError::Settings(format!("sslrootcert: {error}")))?)
        }
    };
    Ok(Arc::new(Verifier { chain, name: check == Check::Full, provider }))
}

fn roots(file: Option<&str>) -> Result<RootCertStore, ConnectError> {
    let mut store = RootCertStore::empty();
    match file {
        None | Some("system") => {
            for certificate in rustls_native_certs::load_native_certs().certs {
                // A root that rustls cannot read proves nothing; the others still do.
                let _ = store.add(certificate);
            }
        }
        Some(file) => {
            for certificate in certificates(file)? {
                store.add(certificate).map_err(|error| ConnectError::Settings(format!("{file}: {error}")))?;
            }
        }
    }
    if store.is_empty() {
        return Err(ConnectError::Settings(
            "there is no root certificate to check the server with: name one by sslrootcert".into(),
        ));
    }
    Ok(store)
}

fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let read = CertificateDer::pem_file_iter(Path::new(file)).map_err(|error| unreadable(file, &error))?;
    read.collect::<Result<_, _>>().map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &str, error: &rustls::pki_types::pem::Error) -> ConnectError {
    ConnectError::Settings(format!("{file}: {error}"))
}

/// Checks as much as `sslmode` asks for.
#[derive(Debug)]
struct Verifier {
    chain: Option<Arc<WebPkiServerVerifier>>,
    name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.name => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

//! Objects as the watches deliver them. One that this version of the operator cannot read fails no watch: it stops no
//! other object from being served.

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash, Hasher},
    marker::PhantomData,
    sync::Arc,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, core::object::HasStatus};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    api::{EmployeeMatch, OktaIntegration, OktaIntegrationStatus},
    rules::unreadable::{UnreadableIntegration, UnreadableValue, read, read_integration},
};

/// An object of kind `K`, of which only the metadata must be readable.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound = "")]
pub struct Watched<K> {
    metadata: ObjectMeta,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    status: Option<Value>,
    #[serde(skip)]
    kind: PhantomData<fn() -> K>,
}

impl<K> Watched<K> {
    pub(super) fn spec(&self) -> &Value {
        &self.spec
    }

    pub(super) fn raw_status(&self) -> &Value {
        self.status.as_ref().unwrap_or(&Value::Null)
    }
}

impl Watched<EmployeeMatch> {
    /// # Errors
    /// The first value that this version of the operator cannot read.
    pub fn read(&self) -> Result<EmployeeMatch, UnreadableValue> {
        Ok(EmployeeMatch {
            metadata: self.metadata.clone(),
            spec: read("spec", &self.spec)?,
            status: read("status", self.raw_status())?,
        })
    }
}

impl<K: Resource<DynamicType = ()>> Resource for Watched<K> {
    type DynamicType = ();
    type Scope = K::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        K::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        K::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        K::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        K::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// The whole status, whether or not it can be read.
impl<K> HasStatus for Watched<K> {
    type Status = Value;

    fn status(&self) -> Option<&Value> {
        self.status.as_ref()
    }

    fn status_mut(&mut self) -> &mut Option<Value> {
        &mut self.status
    }
}

/// An OktaIntegration as the watch delivers it.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Watched<OktaIntegration>")]
pub enum WatchedIntegration {
    Readable(Arc<OktaIntegration>),
    Unreadable(Arc<UnreadableIntegration>),
}

impl From<Watched<OktaIntegration>> for WatchedIntegration {
    fn from(watched: Watched<OktaIntegration>) -> Self {
        let Watched {
            metadata,
            spec,
            status,
            kind: _,
        } = watched;
        match read_integration(metadata, spec, status) {
            Ok(integration) => Self::Readable(Arc::new(integration)),
            Err(unreadable) => Self::Unreadable(Arc::from(unreadable)),
        }
    }
}

impl WatchedIntegration {
    /// None if this version of the operator cannot read it.
    pub fn readable(&self) -> Option<&Arc<OktaIntegration>> {
        match self {
            Self::Readable(integration) => Some(integration),
            Self::Unreadable(_) => None,
        }
    }

    /// What is legible, for those who ask what it is and not what to write.
    pub fn legible(&self) -> Option<&Arc<OktaIntegration>> {
        match self {
            Self::Readable(integration) => Some(integration),
            Self::Unreadable(unreadable) => unreadable.legible.as_ref(),
        }
    }

    /// Changes when it can be read no more or again, or for another reason.
    pub fn legibility(&self) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        match self {
            Self::Readable(_) => None,
            Self::Unreadable(unreadable) => Some(unreadable.why()),
        }
        .hash(&mut hasher);
        Some(hasher.finish())
    }
}

impl Resource for WatchedIntegration {
    type DynamicType = ();
    type Scope = <OktaIntegration as Resource>::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        OktaIntegration::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        OktaIntegration::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        OktaIntegration::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        OktaIntegration::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        match self {
            Self::Readable(integration) => &integration.metadata,
            Self::Unreadable(unreadable) => &unreadable.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Self::Readable(integration) => &mut Arc::make_mut(integration).metadata,
            Self::Unreadable(unreadable) => &mut Arc::make_mut(unreadable).metadata,
        }
    }
}

/// What is legible of the status.
impl HasStatus for WatchedIntegration {
    type Status = OktaIntegrationStatus;

    fn status(&self) -> Option<&OktaIntegrationStatus> {
        match self {
            Self::Readable(integration) => integration.status.as_ref(),
            Self::Unreadable(unreadable) => unreadable.legible_status.as_ref(),
        }
    }

    fn status_mut(&mut self) -> &mut Option<OktaIntegrationStatus> {
        match self {
            Self::Readable(integration) => &mut Arc::make_mut(integration).status,
            Self::Unreadable(unreadable) => &mut Arc::make_mut(unreadable).legible_status,
        }
    }
}

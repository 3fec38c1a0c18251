use serde::Deserialize;

use crate::http::{ErrorBody, Response, clip};

const MAX_MESSAGE_CHARS: usize = 300;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    r#type: Option<String>,
    message: Option<String>,
    details: Vec<Detail>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    field: Option<String>,
    message: Option<String>,
}

pub(super) fn parse(response: &Response) -> ErrorBody {
    let body: Body = serde_json::from_slice(&response.body).unwrap_or_default();
    let details = body.details.iter().filter_map(|detail| detail.message.clone());
    let sentences: Vec<String> = body.message.into_iter().chain(details).collect();
    ErrorBody {
        status: response.status.as_u16(),
        code: body.r#type.map(|code| clip(&code, 40)),
        message: (!sentences.is_empty()).then(|| clip(&sentences.join(" "), MAX_MESSAGE_CHARS)),
        request_id: None,
        fields: body
            .details
            .into_iter()
            .filter_map(|detail| detail.field)
            .collect(),
    }
}

//! Parses and evaluates Okta's `search` and `filter` expressions, as strictly as the service does.

use jiff::Timestamp;
use serde_json::Value;

/// Okta does not accept the expression (400 E0000031).
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("{0}")]
pub struct Invalid(String);

/// The expressions that a parameter accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Dialect {
    UserSearch,
    UserFilter,
    GroupSearch,
    GroupFilter,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Operator {
    Eq,
    Sw,
    Co,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Operand {
    Text(String),
    Time(Timestamp),
    Plain(Value),
}

/// A parsed expression.
#[derive(Debug, PartialEq)]
pub(crate) enum Expression {
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Present(String),
    Compare(String, Operator, Operand),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Word(String),
    Quoted(String),
}

/// Parses an expression. `custom` are the org's own profile attributes.
pub(crate) fn parse(dialect: Dialect, text: &str, custom: &[String]) -> Result<Expression, Invalid> {
    let mut parser = Parser {
        dialect,
        custom,
        tokens: tokens(text)?,
        position: 0,
    };
    let expression = parser.either()?;
    match parser.next() {
        None => Ok(expression),
        Some(token) => Err(Invalid(format!("unexpected {token:?} after the expression"))),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, Invalid> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ' ' => {}
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            '"' => {
                let mut value = String::new();
                loop {
                    match characters.next() {
                        Some('"') => break,
                        Some('\\') => match characters.next() {
                            Some(escaped @ ('"' | '\\')) => value.push(escaped),
                            other => return Err(Invalid(format!("unknown escape {other:?}"))),
                        },
                        Some(other) => value.push(other),
                        None => return Err(Invalid("unterminated quote".to_owned())),
                    }
                }
                tokens.push(Token::Quoted(value));
            }
            other => {
                let mut word = String::from(other);
                while let Some(more) = characters.next_if(|next| !" ()\"".contains(*next)) {
                    word.push(more);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

struct Parser<'a> {
    dialect: Dialect,
    custom: &'a [String],
    tokens: Vec<Token>,
    position: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.position).cloned();
        self.position += 1;
        token
    }

    fn skip_word(&mut self, wanted: &str) -> bool {
        let next = self.tokens.get(self.position);
        let found = matches!(next, Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.position += usize::from(found);
        found
    }

    fn either(&mut self) -> Result<Expression, Invalid> {
        let mut left = self.both()?;
        while self.skip_word("or") {
            left = Expression::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Expression, Invalid> {
        let mut left = self.one()?;
        while self.skip_word("and") {
            left = Expression::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Expression, Invalid> {
        match self.next() {
            Some(Token::Open) => {
                let inner = self.either()?;
                match self.next() {
                    Some(Token::Close) => Ok(inner),
                    other => Err(Invalid(format!("expected ')', found {other:?}"))),
                }
            }
            Some(Token::Word(attribute)) => self.comparison(attribute),
            other => Err(Invalid(format!("expected an attribute, found {other:?}"))),
        }
    }

    fn comparison(&mut self, attribute: String) -> Result<Expression, Invalid> {
        if !self.dialect.knows(&attribute, self.custom) {
            return Err(Invalid(format!("unknown attribute {attribute}")));
        }
        let Some(Token::Word(operator)) = self.next() else {
            return Err(Invalid(format!("expected an operator after {attribute}")));
        };
        let operator = operator.to_ascii_lowercase();
        if operator == "pr" {
            return if self.dialect.is_search() {
                Ok(Expression::Present(attribute))
            } else {
                Err(Invalid("pr is not allowed in a filter".to_owned()))
            };
        }
        let operator = match operator.as_str() {
            "eq" => Operator::Eq,
            "sw" => Operator::Sw,
            "co" => Operator::Co,
            "gt" => Operator::Gt,
            "ge" => Operator::Ge,
            "lt" => Operator::Lt,
            "le" => Operator::Le,
            other => return Err(Invalid(format!("unknown operator {other}"))),
        };
        self.dialect.allows(&attribute, operator)?;
        let operand = match self.next() {
            Some(Token::Quoted(text)) if is_time(&attribute) => Operand::Time(time(&text)?),
            Some(Token::Quoted(text)) => Operand::Text(text),
            Some(Token::Word(word)) if !is_time(&attribute) => match word.parse::<Value>() {
                Ok(value @ (Value::Bool(_) | Value::Number(_))) => Operand::Plain(value),
                _ => return Err(Invalid(format!("the value {word} must be quoted"))),
            },
            other => return Err(Invalid(format!("expected a quoted value, found {other:?}"))),
        };
        Ok(Expression::Compare(attribute, operator, operand))
    }
}

fn is_time(attribute: &str) -> bool {
    [
        "created",
        "activated",
        "statusChanged",
        "lastUpdated",
        "lastMembershipUpdated",
    ]
    .contains(&attribute)
}

/// A date in the documented format, `2014-01-01T00:00:00.000Z`, also without the fraction or with an offset.
/// Other fractions are rejected, since they are not documented.
fn time(text: &str) -> Result<Timestamp, Invalid> {
    let wrong = || Invalid(format!("{text:?} is not an ISO 8601 date"));
    let bytes = text.as_bytes();
    let fraction = match bytes.get(19) {
        Some(b'.') => bytes[20..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count(),
        _ => 0,
    };
    let documented = bytes.get(10) == Some(&b'T') && !text.contains('[') && (fraction == 0 || fraction == 3);
    if documented {
        text.parse().map_err(|_| wrong())
    } else {
        Err(wrong())
    }
}

const PROFILE: [&str; 31] = [
    "city",
    "costCenter",
    "countryCode",
    "department",
    "displayName",
    "division",
    "email",
    "employeeNumber",
    "firstName",
    "honorificPrefix",
    "honorificSuffix",
    "lastName",
    "locale",
    "login",
    "manager",
    "managerId",
    "middleName",
    "mobilePhone",
    "nickName",
    "organization",
    "postalAddress",
    "preferredLanguage",
    "primaryPhone",
    "profileUrl",
    "secondEmail",
    "state",
    "streetAddress",
    "timezone",
    "title",
    "userType",
    "zipCode",
];

impl Dialect {
    fn is_search(self) -> bool {
        matches!(self, Self::UserSearch | Self::GroupSearch)
    }

    fn knows(self, attribute: &str, custom: &[String]) -> bool {
        let profile = attribute.strip_prefix("profile.");
        let (top, known): (&[&str], &[&str]) = match self {
            Self::UserSearch => (
                &[
                    "id",
                    "status",
                    "created",
                    "activated",
                    "statusChanged",
                    "lastUpdated",
                    "type.id",
                ],
                &PROFILE,
            ),
            Self::UserFilter => (
                &["status", "lastUpdated", "id"],
                &["login", "email", "firstName", "lastName"],
            ),
            Self::GroupSearch => (
                &[
                    "id",
                    "created",
                    "lastMembershipUpdated",
                    "lastUpdated",
                    "type",
                    "source.id",
                ],
                &[
                    "name",
                    "description",
                    "samAccountName",
                    "dn",
                    "windowsDomainQualifiedName",
                    "externalId",
                ],
            ),
            Self::GroupFilter => (&["id", "type", "lastUpdated", "lastMembershipUpdated"], &[]),
        };
        match profile {
            Some(name) => known.contains(&name) || (self.is_search() && custom.iter().any(|own| own == name)),
            None => top.contains(&attribute),
        }
    }

    fn allows(self, attribute: &str, operator: Operator) -> Result<(), Invalid> {
        let contains: &[&str] = match self {
            Self::UserSearch => &[
                "profile.firstName",
                "profile.lastName",
                "profile.email",
                "profile.login",
            ],
            Self::GroupSearch => &["profile.name", "profile.description"],
            Self::UserFilter | Self::GroupFilter => &[],
        };
        let ordered = matches!(
            operator,
            Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le
        );
        let allowed = match operator {
            Operator::Eq => true,
            Operator::Co => contains.contains(&attribute),
            Operator::Sw => self.is_search() && !is_time(attribute),
            _ => ordered && (self.is_search() || is_time(attribute)),
        };
        if allowed {
            Ok(())
        } else {
            Err(Invalid(format!("{operator:?} is not allowed on {attribute}")))
        }
    }
}

impl Expression {
    /// Whether a user or group meets the expression. `search` ignores the case of values, `filter` does not.
    pub fn meets(&self, dialect: Dialect, record: &Value) -> bool {
        match self {
            Self::And(left, right) => left.meets(dialect, record) && right.meets(dialect, record),
            Self::Or(left, right) => left.meets(dialect, record) || right.meets(dialect, record),
            Self::Present(attribute) => match attribute_of(record, attribute) {
                Value::Null => false,
                Value::String(text) => !text.is_empty(),
                Value::Array(items) => !items.is_empty(),
                _ => true,
            },
            Self::Compare(attribute, operator, operand) => match attribute_of(record, attribute) {
                Value::Array(items) => items
                    .iter()
                    .any(|item| compare(dialect, item, *operator, operand)),
                value => compare(dialect, &value, *operator, operand),
            },
        }
    }
}

/// The attribute's value; null if it is missing.
pub(crate) fn attribute_of(record: &Value, attribute: &str) -> Value {
    if attribute == "source.id" {
        let href = record["_links"]["source"]["href"].as_str();
        return href
            .and_then(|href| href.rsplit('/').next())
            .map_or(Value::Null, Value::from);
    }
    let pointer = format!("/{}", attribute.replace('.', "/"));
    record.pointer(&pointer).cloned().unwrap_or_default()
}

fn compare(dialect: Dialect, value: &Value, operator: Operator, operand: &Operand) -> bool {
    match (value, operand) {
        (Value::String(value), Operand::Time(operand)) => value
            .parse::<Timestamp>()
            .is_ok_and(|value| ordered(operator, &value, operand)),
        (Value::String(value), Operand::Text(operand)) => {
            let fold = |text: &str| {
                if dialect.is_search() {
                    text.to_lowercase()
                } else {
                    text.to_owned()
                }
            };
            let (value, operand) = (fold(value), fold(operand));
            match operator {
                Operator::Sw => value.starts_with(&operand),
                Operator::Co => value.contains(&operand),
                _ => ordered(operator, &value, &operand),
            }
        }
        (Value::Number(value), Operand::Plain(Value::Number(operand))) => {
            ordered(operator, &value.as_f64(), &operand.as_f64())
        }
        (value, Operand::Plain(operand)) => operator == Operator::Eq && value == operand,
        _ => false,
    }
}

fn ordered<T: PartialOrd>(operator: Operator, value: &T, operand: &T) -> bool {
    match operator {
        Operator::Eq => value == operand,
        Operator::Gt => value > operand,
        Operator::Ge => value >= operand,
        Operator::Lt => value < operand,
        Operator::Le => value <= operand,
        Operator::Sw | Operator::Co => false,
    }
}

//! `:serialize` and `:deserialize`: JSON, and values separated by a delimiter.

use std::rc::Rc;

use super::array::Array;
use super::builtins::{Args, decimal, list};
use super::error::Error;
use super::value::Value;
use crate::raw;

/// How deep JSON may nest, so that reading and printing it stay within the stack.
const MAX_DEPTH: usize = 64;

pub(super) fn serialize(args: &Args) -> Result<Value, Error> {
    let value = args.need("value")?;
    let options = args.text("options").unwrap_or_default();
    match args.text("to").as_deref() {
        Some("json") => {
            let writer = Writer {
                numbers: !options.contains("json.no-string-conversion"),
                pretty: options.contains("json.pretty"),
            };
            let mut text = String::new();
            writer.value(&mut text, value, 0)?;
            Ok(Value::str(raw::bytes(&text)))
        }
        Some("dsv") => {
            let delimiter = args.get("delimiter").ok_or_else(|| Error::missing("delimiter"))?.text();
            let Value::Array(rows) = value else { return Ok(Value::str(value.text())) };
            if let Some(text) = columns(rows, &delimiter) {
                return text;
            }
            let mut text = Vec::new();
            for row in rows.values() {
                if !text.is_empty() {
                    text.push(b'\n');
                }
                match row {
                    Value::Array(row) => {
                        let fields: Vec<Vec<u8>> = row.values().map(Value::text).collect();
                        text.extend(fields.join(delimiter.as_slice()));
                    }
                    other => text.extend(other.text()),
                }
            }
            Ok(Value::str(text))
        }
        Some(_) => Err(Error::no_match("to")),
        None => Err(Error::missing("to")),
    }
}

/// Keyed lists are columns under their keys, as the manual shows; `None` for anything else. What stands where one is shorter
/// is not known: nothing here.
fn columns(table: &Array, delimiter: &[u8]) -> Option<Result<Value, Error>> {
    let mut keys: Vec<Vec<u8>> = Vec::new();
    let mut lists: Vec<Vec<Vec<u8>>> = Vec::new();
    for (key, column) in table.pairs() {
        match (key, column) {
            (Value::Str(key), Value::Array(column)) if column.is_list() => {
                keys.push(key.to_vec());
                lists.push(column.values().map(Value::text).collect());
            }
            _ => return None,
        }
    }
    let height = lists.iter().map(Vec::len).max()?;
    // A long column beside many short ones makes many delimiters.
    if let Err(error) = super::ops::sized(height.saturating_mul(keys.len()).saturating_mul(delimiter.len() + 1)) {
        return Some(Err(error));
    }
    let mut text = keys.join(delimiter);
    for at in 0..height {
        let row: Vec<&[u8]> = lists.iter().map(|list| list.get(at).map_or(&b""[..], Vec::as_slice)).collect();
        text.push(b'\n');
        text.extend(row.join(delimiter));
    }
    Some(Ok(Value::str(text)))
}

/// Writes JSON. A string that reads as a number is written as one with six decimals unless told otherwise: the manual
/// shows it, and others measured it.
struct Writer {
    numbers: bool,
    pretty: bool,
}

impl Writer {
    fn value(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::limit("nested too deep"));
        }
        match value {
            Value::Nothing | Value::Nil => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Num(value) => out.push_str(&value.to_string()),
            Value::Array(array) => {
                let (open, close) = if array.is_list() { ('[', ']') } else { ('{', '}') };
                out.push(open);
                for (at, (key, value)) in array.pairs().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    self.line(out, depth + 1);
                    if !array.is_list() {
                        out.push_str(&quoted(&key)?);
                        out.push_str(if self.pretty { ": " } else { ":" });
                    }
                    self.value(out, value, depth + 1)?;
                }
                if !array.is_empty() {
                    self.line(out, depth);
                }
                out.push(close);
            }
            Value::Str(text) => match decimal(text).filter(|_| self.numbers) {
                Some(number) => out.push_str(&format!("{number}.000000")),
                None => out.push_str(&quoted(value)?),
            },
            other => out.push_str(&quoted(other)?),
        }
        Ok(())
    }

    fn line(&self, out: &mut String, depth: usize) {
        if self.pretty {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        }
    }
}

fn quoted(value: &Value) -> Result<String, Error> {
    serde_json::to_string(&value.to_text()).map_err(|error| Error::failure(&error.to_string()))
}

/// JSON without the commas behind which nothing comes: routers take them.
fn without_last_commas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Where the last comma stands, while only blanks follow it.
    let mut comma = None;
    let (mut quoted, mut escaped) = (false, false);
    for char in text.chars() {
        if quoted {
            quoted = escaped || char != '"';
            escaped = !escaped && char == '\\';
        } else {
            match char {
                ',' => comma = Some(out.len()),
                ']' | '}' => {
                    if let Some(at) = comma.take() {
                        out.truncate(at);
                    }
                }
                char if char.is_ascii_whitespace() => {}
                char => {
                    quoted = char == '"';
                    comma = None;
                }
            }
        }
        out.push(char);
    }
    out
}

pub(super) fn deserialize(args: &Args) -> Result<Value, Error> {
    let text = args.need("value")?.text();
    match args.text("from").as_deref() {
        Some("json") => {
            let text = without_last_commas(&raw::text(&text));
            let json: serde_json::Value = serde_json::from_str(&text).map_err(|_| Error::failure("invalid json"))?;
            let typed = !args.text("options").unwrap_or_default().contains("json.no-string-conversion");
            from_json(&json, typed, 0)
        }
        Some("dsv") => {
            let delimiter = args.text("delimiter").ok_or_else(|| Error::missing("delimiter"))?;
            let text = raw::text(&text);
            if delimiter.is_empty() {
                return Err(Error::invalid_value("delimiter"));
            }
            Ok(list(
                text.lines()
                    .map(|line| list(line.split(&delimiter).map(|part| Value::str(raw::bytes(part))).collect()))
                    .collect(),
            ))
        }
        Some(_) => Err(Error::no_match("from")),
        None => Err(Error::missing("from")),
    }
}

/// `typed`: strings that read as addresses, numbers or times are such (measured by others; other types are not \[verify\]).
fn from_json(json: &serde_json::Value, typed: bool, depth: usize) -> Result<Value, Error> {
    if depth > MAX_DEPTH {
        return Err(Error::limit("nested too deep"));
    }
    Ok(match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Value::Num(number),
            // The language has no fractions.
            None => Value::str(number.to_string()),
        },
        serde_json::Value::String(text) => match Value::read(text) {
            value @ (Value::Ip(_) | Value::Num(_) | Value::Time(_)) if typed => value,
            _ => Value::str(raw::bytes(text)),
        },
        serde_json::Value::Array(items) => {
            list(items.iter().map(|item| from_json(item, typed, depth + 1)).collect::<Result<_, _>>()?)
        }
        serde_json::Value::Object(map) => {
            let mut array = Array::default();
            for (key, value) in map {
                array.insert(raw::bytes(key), from_json(value, typed, depth + 1)?);
            }
            Value::Array(Rc::new(array))
        }
    })
}

//! Evaluates expressions.

use std::rc::Rc;
use std::sync::Arc;

use routeros_script::ast::{ArrayItem, BinaryOp, Expr, ExprKind, StrPart, UnaryOp};

use super::array::Array;
use super::error::{Error, Flow, Run};
use super::host::LocalFuture;
use super::interp::{Frame, Interp, ready};
use super::ops;
use super::value::{Body, Code, Value};

impl Interp {
    /// The value of a variable; inside a condition on an item, of the property of that name first.
    pub(super) fn variable(&self, frame: &Frame, name: &[u8]) -> Value {
        self.visible(frame, name).unwrap_or_default()
    }

    fn visible(&self, frame: &Frame, name: &[u8]) -> Option<Value> {
        property(frame, name).or_else(|| frame.scope.get(name))
    }

    /// Whether a condition holds. On an item, a property alone asks whether it is set.
    pub(super) fn condition<'a>(&'a self, frame: &'a Frame, expr: &'a Expr) -> LocalFuture<'a, Run<bool>> {
        Box::pin(async move {
            let value = self.eval(frame, expr).await?;
            if frame.item.is_some() { Ok(ops::is_set(&value)) } else { Ok(ops::truth(&value)?) }
        })
    }

    pub(super) fn eval<'a>(&'a self, frame: &'a Frame, expr: &'a Expr) -> LocalFuture<'a, Run<Value>> {
        match &expr.kind {
            ExprKind::Literal(literal, _) => ready(Ok(Value::from(literal))),
            ExprKind::Var(name) => ready(Ok(self.variable(frame, &name.text))),
            ExprKind::Word(word) => ready(Ok(self.word(frame, word))),
            ExprKind::Str(parts) => self.string(frame, parts),
            ExprKind::Bracket(block) => Box::pin(async move { returned(self.block(frame, block, true).await) }),
            ExprKind::Block(block) => ready(Ok(frame.code(block))),
            ExprKind::Array(items) => self.array(frame, items),
            ExprKind::Paren(inner) => self.eval(frame, inner),
            // Only `[...]` is kept; other values have nothing to be run later.
            ExprKind::Unary(UnaryOp::Quote, inner) if matches!(inner.kind, ExprKind::Bracket(_)) => {
                let body = Body::Quoted(Rc::new((**inner).clone()));
                let (src, menu) = (Arc::clone(&frame.src), Rc::clone(&frame.menu));
                ready(Ok(Value::Code(Rc::new(Code { src, body, menu, function: false }))))
            }
            ExprKind::Unary(op, inner) => self.unary(frame, *op, inner),
            ExprKind::Binary(..) => self.binary(frame, expr),
        }
    }

    fn unary<'a>(&'a self, frame: &'a Frame, op: UnaryOp, inner: &'a Expr) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            match op {
                UnaryOp::Not => Ok(Value::Bool(!self.condition(frame, inner).await?)),
                op => Ok(ops::unary(op, &self.eval(frame, inner).await?)?),
            }
        })
    }

    /// A bare word: a property, a variable, `nil`, or its own text.
    fn word(&self, frame: &Frame, word: &str) -> Value {
        match self.visible(frame, word.as_bytes()) {
            Some(value) => value,
            None if word == "nil" => Value::Nil,
            None => Value::str(word),
        }
    }

    fn string<'a>(&'a self, frame: &'a Frame, parts: &'a [StrPart]) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let mut text = Vec::new();
            // Pieces are joined by the operator `.`, which an array takes element by element. What a string of an array alone
            // is stays a text here [verify].
            let mut array: Option<Value> = None;
            for part in parts {
                let value = match part {
                    StrPart::Text(bytes) if array.is_none() => {
                        text.extend_from_slice(bytes);
                        ops::sized(text.len())?;
                        continue;
                    }
                    StrPart::Text(bytes) => Value::str(bytes),
                    StrPart::Value(expr) => self.eval(frame, expr).await?,
                };
                array = match (array, value) {
                    (None, value @ Value::Array(_)) if parts.len() > 1 => {
                        Some(self.concat(&Value::str(std::mem::take(&mut text)), &value)?)
                    }
                    (None, value) => {
                        text.extend(value.text());
                        ops::sized(text.len())?;
                        None
                    }
                    (Some(array), value) => Some(self.concat(&array, &value)?),
                };
            }
            Ok(array.unwrap_or_else(|| Value::str(text)))
        })
    }

    /// `.`: how two arrays go together nobody has shown.
    fn concat(&self, left: &Value, right: &Value) -> Result<Value, Error> {
        if let (Value::Array(_), Value::Array(_)) = (left, right) {
            return Err(self.host.not_simulated(&self.ctx, "put", "array . array"));
        }
        ops::binary(BinaryOp::Concat, left, right)
    }

    fn array<'a>(&'a self, frame: &'a Frame, items: &'a [ArrayItem]) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let mut array = Array::default();
            for item in items {
                let value = self.eval(frame, &item.value).await?;
                match &item.key {
                    None => array.push(value),
                    Some(Expr { kind: ExprKind::Literal(_, text), .. }) => {
                        array.insert(text.clone().into_bytes(), value);
                    }
                    Some(key) => {
                        let key = self.eval(frame, key).await?.text();
                        array.insert(key, value);
                    }
                }
            }
            Ok(Value::Array(Rc::new(array.checked()?)))
        })
    }

    /// A chain of operators that bind to the left, without nesting one call for each.
    fn binary<'a>(&'a self, frame: &'a Frame, expr: &'a Expr) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let mut chain = Vec::new();
            let mut first = expr;
            while let ExprKind::Binary(op, left, right) = &first.kind {
                chain.push((*op, left.as_ref(), right.as_ref()));
                first = left;
            }
            let mut value = self.eval(frame, first).await?;
            for (op, left, right) in chain.into_iter().rev() {
                value = self.step(frame, op, left, value, right).await?;
            }
            Ok(value)
        })
    }

    fn step<'a>(
        &'a self,
        frame: &'a Frame,
        op: BinaryOp,
        left: &'a Expr,
        value: Value,
        right: &'a Expr,
    ) -> LocalFuture<'a, Run<Value>> {
        Box::pin(async move {
            let comparison = matches!(
                op,
                BinaryOp::Eq
                    | BinaryOp::Ne
                    | BinaryOp::Match
                    | BinaryOp::Less
                    | BinaryOp::Greater
                    | BinaryOp::LessEq
                    | BinaryOp::GreaterEq
            );
            // What a property is compared with reads as that property's value, not as another property.
            let on_property = matches!(&left.kind, ExprKind::Word(word) if property(frame, word.as_bytes()).is_some());
            let other = match &right.kind {
                ExprKind::Word(word) if comparison && on_property => Value::str(word),
                // Equal or not is asked of the text as written; more or less of the number or time that it is.
                ExprKind::Literal(_, text)
                    if matches!(op, BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Match)
                        && matches!(value, Value::Str(_)) =>
                {
                    Value::str(text)
                }
                _ => self.eval(frame, right).await?,
            };
            match op {
                BinaryOp::And | BinaryOp::Or | BinaryOp::Beside if frame.item.is_some() => {
                    let (left, right) = (ops::is_set(&value), ops::is_set(&other));
                    Ok(Value::Bool(if op == BinaryOp::Or { left || right } else { left && right }))
                }
                // `disabled="yes"` and `disabled=yes` ask the same of an item.
                BinaryOp::Eq | BinaryOp::Ne if frame.item.is_some() && matches!(value, Value::Bool(_)) => {
                    let equal = match other.as_bool() {
                        Some(other) => value.as_bool() == Some(other),
                        None => ops::equal(&value, &other),
                    };
                    Ok(Value::Bool(equal == (op == BinaryOp::Eq)))
                }
                BinaryOp::Eq | BinaryOp::Ne if matches!(other, Value::Str(_)) => {
                    let value = match &left.kind {
                        ExprKind::Literal(_, text) => Value::str(text),
                        _ => value,
                    };
                    Ok(ops::binary(op, &value, &other)?)
                }
                BinaryOp::Activate => match (&value, &other) {
                    (Value::Code(code), Value::Array(args)) => {
                        // Unlike a call by name, this counts from `$0`.
                        let named = args.pairs().map(|(key, value)| (key.text(), value.clone()));
                        self.call_code(code, named.collect()).await
                    }
                    _ => Ok(value),
                },
                BinaryOp::Concat => Ok(self.concat(&value, &other)?),
                op => Ok(ops::binary(op, &value, &other)?),
            }
        })
    }
}

/// `:return` inside brackets ends the brackets.
pub(super) fn returned(result: Run<Value>) -> Run<Value> {
    match result {
        Err(Flow::Return(value)) => Ok(value),
        result => result,
    }
}

fn property(frame: &Frame, name: &[u8]) -> Option<Value> {
    let item = frame.item.as_ref()?;
    item(std::str::from_utf8(name).ok()?)
}

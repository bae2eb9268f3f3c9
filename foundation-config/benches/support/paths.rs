//! Reads by path, as text and as a constant.

use std::collections::HashMap;
use std::hint::black_box;

use arc_swap::ArcSwap;
use serde_json::Value as Json;

use super::typed::look;
use super::{RUN, SIZE, Settings, store};
use crate::bench::measure::{Contender, timed};

pub(crate) fn contenders() -> Vec<Contender<'static>> {
    let json = serde_json::to_value(Settings::new()).expect("it is JSON");
    let size = Json::from(8);
    let flat = HashMap::from([("server.pool.size".to_owned(), size.clone()), ("server.pool.spare".to_owned(), size)]);
    let (json, flat) = (ArcSwap::from_pointee(json), ArcSwap::from_pointee(flat));
    let (typed, text) = (store(), store());
    vec![
        Contender::ours(
            "foundation, typed path",
            None,
            timed(RUN, move |_, _| look(typed.get(SIZE).expect("it is set"))),
        )
        .note("a hundred nanoseconds are wanted at most"),
        Contender::ours("foundation, text", None, {
            timed(RUN, move |_, _| look(text.get_as(black_box("server.pool.size")).expect("it is set")))
        }),
        Contender::peer("arc-swap, JSON pointer", {
            timed(RUN, move |_, _| {
                let json = json.load();
                let size = json.pointer(black_box("/server/pool/size")).and_then(Json::as_u64);
                look(size.and_then(|size| u32::try_from(size).ok()).expect("it is set"));
            })
        }),
        Contender::peer("arc-swap, flat HashMap", {
            timed(RUN, move |_, _| {
                let flat = flat.load();
                let size = flat.get(black_box("server.pool.size")).and_then(Json::as_u64);
                look(size.and_then(|size| u32::try_from(size).ok()).expect("it is set"));
            })
        }),
    ]
}

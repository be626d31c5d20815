//! `ha render`: the HA scripts as one file, for people who install by hand.

use bootstrap::ha;
use serde_json::json;

use crate::failure::Result;
use crate::output::Output;

/// The file on stdout; what to do with it on stderr.
pub fn render(out: &Output) -> Result {
    let text = ha::render_init();
    if out.json {
        out.object(json!({"build": ha::build(), "file": text}), &[]);
        return Ok(());
    }
    out.data(text.trim_end());
    out.say(format!("{}: put it on the first router as HA_init.rsc, then type there:", ha::build()));
    out.say("  /import HA_init.rsc");
    out.say("  $HAInstall interface=\"ether8\" macA=\"...\" macB=\"...\" password=\"...\"");
    Ok(())
}

/** The target `uri` with a parser that never comes back from a URI with two semicolons in a row: for the watchdog's test. */
import { parseUri } from '@carillon/sip-parser'
import type { Target } from '../engine/target.ts'
import { uriTarget } from '../targets/uri.ts'

/** What the fuzzing thread is told to run. */
export const target: Target = uriTarget({
  parseUri: (text, leniency) => {
    while (text.includes(';;')) {
      // Only another thread can end this.
    }
    return parseUri(text, leniency)
  },
})

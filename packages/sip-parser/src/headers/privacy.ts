/** What is to be hidden: Privacy (RFC 3323 §4.2, RFC 3325 §9.3). */
import { skipSpace } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { fail } from '../grammar/failure'
import type { Wire } from '../grammar/wire'
import { parametersMax } from '../limits'
import { requireToken, single } from './param-value'

/** Privacy: tokens with semicolons between them, in lower case: `header`, `session`, `user`, `id`, `none`, `critical`, … */
export const decodePrivacy = single(readPrivacy)

function readPrivacy(wire: Wire, start: number, end: number): readonly string[] {
  const values: string[] = []
  let position = skipSpace(wire, start, end)
  for (;;) {
    const stop = requireToken(wire, position, end)
    if (values.length >= parametersMax) fail('TOO_MANY_PARAMETERS', position)
    values.push(wire.text.slice(position, stop).toLowerCase())
    position = skipSpace(wire, stop, end)
    cursor.next = position
    if (position >= end || wire.bytes[position] !== 0x3b) return values
    position = skipSpace(wire, position + 1, end)
  }
}

/** End-to-end identification of a session: Session-ID (RFC 7989 §5; the single half of RFC 7329 is read too). */

import { fail } from '../grammar/failure'
import { type Params, type ParamsInit, param, toParams } from '../grammar/params'
import type { Wire } from '../grammar/wire'
import { type ParamCheck, ParamValue, readBack, readParams, single } from './param-value'

const uuidLength = 32

/** Session-ID: one half from each side. Immutable. */
export class SessionId extends ParamValue {
  /**
   * Takes what was read; use {@link SessionId.of} instead.
   * @internal
   */
  constructor(
    /** 32 hexadecimal digits, of the sender; all zeros when not known. */
    readonly local: string,
    params: Params,
  ) {
    super(params)
  }

  /** Makes a value from two UUIDs of 32 hexadecimal digits. Throws SipUsageError VALUE_INVALID for others. */
  static of(local: string, remote?: string, params?: ParamsInit): SessionId {
    const all = new Map<string, string | null>()
    if (remote !== undefined) all.set('remote', remote)
    for (const [name, value] of toParams(params)) all.set(name, value)
    return readBack(decodeSessionId, new SessionId(local, all), 'Session-ID')
  }

  /** 32 hexadecimal digits, of the other side; all zeros when not known yet, undefined in the older form. */
  get remote(): string | undefined {
    return this.textOf('remote')
  }

  protected override get head(): string {
    return this.local
  }
}

const checkRemote: ParamCheck = (name, wire) => {
  if (name !== 'remote') return
  if (param.valueStart < 0) fail('SESSION_ID_INVALID', param.nameStart)
  if (hexEnd(wire, param.valueStart, param.valueEnd) !== param.valueEnd) fail('SESSION_ID_INVALID', param.valueStart)
}

/** Session-ID. */
export const decodeSessionId = single((wire, start, end, leniency) => {
  const stop = hexEnd(wire, start, end)
  return new SessionId(wire.text.slice(start, stop), readParams(wire, stop, end, leniency, checkRemote))
})

/** The position after 32 lower-case hexadecimal digits. */
function hexEnd(wire: Wire, start: number, end: number): number {
  let position = start
  while (position < end) {
    const code = wire.bytes[position]!
    if (!((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66))) break
    position += 1
  }
  if (position - start !== uuidLength) fail('SESSION_ID_INVALID', start)
  return position
}

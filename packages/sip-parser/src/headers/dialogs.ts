/**
 * Headers that name a dialog or keep one alive: Replaces (RFC 3891 §6.1), Join (RFC 3911 §7.1), Target-Dialog
 * (RFC 4538 §7), Session-Expires (RFC 4028 §4).
 */
import { charFlags, skipSpace, WORD } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { fail } from '../grammar/failure'
import { type Params, type ParamsInit, param, toParams } from '../grammar/params'
import type { Wire } from '../grammar/wire'
import type { Leniency } from '../message/leniency'
import { checkTokenParam, type ParamCheck, ParamValue, readBack, readParams, single, writeParams } from './param-value'
import { decodeCallId } from './scalars'
import { readSeconds } from './values'

/** A dialog as its tags are seen by the one who will receive the request. */
export interface DialogInit {
  readonly callId: string
  readonly toTag: string
  readonly fromTag: string
  /** Further parameters. */
  readonly params?: ParamsInit | undefined
}

/** The parts of a Replaces header. */
export interface ReplacesInit extends DialogInit {
  /** Replace the dialog only while it is early. */
  readonly earlyOnly?: boolean | undefined
}

/** The parts of a Target-Dialog header; the tags as the receiver of the request sees them. */
export interface TargetDialogInit {
  readonly callId: string
  readonly localTag?: string | undefined
  readonly remoteTag?: string | undefined
  readonly params?: ParamsInit | undefined
}

/** A Call-ID with parameters. */
abstract class DialogValue extends ParamValue {
  constructor(
    readonly callId: string,
    params: Params,
  ) {
    super(params)
  }

  protected override get head(): string {
    return this.callId
  }
}

/** Join: the dialog that the new one is to be mixed with. Immutable. */
export class Join extends DialogValue {
  /** Makes a value. Throws SipUsageError VALUE_INVALID for a Call-ID or tag that cannot be written. */
  static of(init: DialogInit): Join {
    return readBack(decodeJoin, new Join(init.callId, tagParams(init)), 'Join')
  }

  get toTag(): string {
    return this.textOf('to-tag') ?? ''
  }

  get fromTag(): string {
    return this.textOf('from-tag') ?? ''
  }
}

/** Replaces: the dialog that the new one takes the place of. Immutable. */
export class Replaces extends DialogValue {
  /** Makes a value. Throws SipUsageError VALUE_INVALID for a Call-ID or tag that cannot be written. */
  static of(init: ReplacesInit): Replaces {
    const params = new Map(tagParams(init))
    if (init.earlyOnly === true) params.set('early-only', null)
    return readBack(decodeReplaces, new Replaces(init.callId, params), 'Replaces')
  }

  get toTag(): string {
    return this.textOf('to-tag') ?? ''
  }

  get fromTag(): string {
    return this.textOf('from-tag') ?? ''
  }

  /** True when only an early dialog may be replaced. */
  get earlyOnly(): boolean {
    return this.params.has('early-only')
  }
}

/** Target-Dialog: a dialog that the request belongs to without being sent in it. Immutable. */
export class TargetDialog extends DialogValue {
  /** Makes a value. Throws SipUsageError VALUE_INVALID for a Call-ID or tag that cannot be written. */
  static of(init: TargetDialogInit): TargetDialog {
    const params = new Map<string, string | null>()
    if (init.localTag !== undefined) params.set('local-tag', init.localTag)
    if (init.remoteTag !== undefined) params.set('remote-tag', init.remoteTag)
    for (const [name, value] of toParams(init.params)) params.set(name, value)
    return readBack(decodeTargetDialog, new TargetDialog(init.callId, params), 'Target-Dialog')
  }

  get localTag(): string | undefined {
    return this.textOf('local-tag')
  }

  get remoteTag(): string | undefined {
    return this.textOf('remote-tag')
  }
}

/** Who refreshes the session (RFC 4028 §4). */
export type Refresher = 'uac' | 'uas'

/** Session-Expires: how long the session lasts without a refresh. Immutable. */
export class SessionExpires extends ParamValue {
  /**
   * Takes what was read; use {@link SessionExpires.of} instead.
   * @internal
   */
  constructor(
    readonly seconds: number,
    params: Params,
  ) {
    super(params)
  }

  /** Makes a value. Throws SipUsageError VALUE_INVALID for what is no number of seconds. */
  static of(seconds: number, refresher?: Refresher, params?: ParamsInit): SessionExpires {
    const all = new Map(toParams(params))
    if (refresher !== undefined) all.set('refresher', refresher)
    return readBack(decodeSessionExpires, `${seconds}${writeParams(all, () => false)}`, 'Session-Expires')
  }

  /** Undefined in a request that leaves the choice to the other side. */
  get refresher(): Refresher | undefined {
    return this.textOf('refresher')?.toLowerCase() as Refresher | undefined
  }

  protected override get head(): string {
    return String(this.seconds)
  }
}

function tagParams(init: DialogInit): Params {
  return new Map([...toParams(init.params), ['to-tag', init.toTag], ['from-tag', init.fromTag]])
}

const checkTag: ParamCheck = (name, wire) => {
  if (name === 'to-tag' || name === 'from-tag' || name === 'local-tag' || name === 'remote-tag') checkTokenParam(wire)
}

const checkRefresher: ParamCheck = (name, wire) => {
  if (name !== 'refresher') return
  checkTokenParam(wire)
  const value = wire.text.slice(param.valueStart, param.valueEnd).toLowerCase()
  if (value !== 'uac' && value !== 'uas') fail('PARAMETER_INVALID', param.valueStart)
}

/** Replaces: a Call-ID with one to-tag and one from-tag. */
export const decodeReplaces = single((wire, start, end, leniency) => {
  const callId = readCallId(wire, start, end)
  return new Replaces(callId, readTags(wire, start, cursor.next, end, leniency))
})

/** Join: the same. */
export const decodeJoin = single((wire, start, end, leniency) => {
  const callId = readCallId(wire, start, end)
  return new Join(callId, readTags(wire, start, cursor.next, end, leniency))
})

/** Target-Dialog: a Call-ID, a local-tag and a remote-tag. */
export const decodeTargetDialog = single((wire, start, end, leniency) => {
  const callId = readCallId(wire, start, end)
  return new TargetDialog(callId, readParams(wire, cursor.next, end, leniency, checkTag))
})

/** Session-Expires: seconds, and who refreshes. */
export const decodeSessionExpires = single((wire, start, end, leniency) => {
  const seconds = readSeconds(wire, start, end)
  return new SessionExpires(seconds, readParams(wire, cursor.next, end, leniency, checkRefresher))
})

/** The Call-ID at `start`; `cursor.next` is then after it and its white space. */
function readCallId(wire: Wire, start: number, end: number): string {
  let stop = start
  while (stop < end && ((charFlags[wire.bytes[stop]!]! & WORD) !== 0 || wire.bytes[stop] === 0x40)) stop += 1
  const callId = decodeCallId(wire, start, stop)
  cursor.next = skipSpace(wire, stop, end)
  return callId
}

function readTags(wire: Wire, start: number, at: number, end: number, leniency: Leniency): Params {
  const params = readParams(wire, at, end, leniency, checkTag)
  if (cursor.next < end) fail('UNEXPECTED_CHARACTER', cursor.next)
  if (!params.has('to-tag') || !params.has('from-tag')) fail('PARAMETER_MISSING', start)
  return params
}

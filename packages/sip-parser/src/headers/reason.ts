/** Why a request was sent or a call ended: Reason (RFC 3326 §2). */
import { skipSpace } from '../grammar/chars'
import { checkNoLineEnd, type Params, type ParamsInit, toParams } from '../grammar/params'
import type { Wire } from '../grammar/wire'
import type { Leniency } from '../message/leniency'
import { checkNumberParam, type ParamCheck, ParamValue, readBack, readParams, requireToken } from './param-value'

/** The parts of a Reason value. */
export interface ReasonInit {
  /** `SIP`, `Q.850`, … */
  readonly protocol: string
  readonly cause?: number | undefined
  readonly text?: string | undefined
  readonly params?: ParamsInit | undefined
}

/** One Reason value. Immutable. */
export class Reason extends ParamValue {
  /**
   * Takes what was read; use {@link Reason.of} instead.
   * @internal
   */
  constructor(
    /** `SIP`, `Q.850`, … as it came. */
    readonly protocol: string,
    params: Params,
  ) {
    super(params)
  }

  /** Makes a value. Throws SipUsageError VALUE_INVALID for what cannot be written. */
  static of(init: ReasonInit): Reason {
    checkNoLineEnd(init.text)
    const params = new Map<string, string | null>()
    if (init.cause !== undefined) params.set('cause', String(init.cause))
    if (init.text !== undefined) params.set('text', init.text)
    for (const [name, value] of toParams(init.params)) params.set(name, value)
    return readBack(decodeReason, new Reason(init.protocol, params), 'Reason')
  }

  /** The status code or Q.850 cause; undefined when absent. */
  get cause(): number | undefined {
    return this.numberOf('cause')
  }

  /** Undefined when absent. */
  get text(): string | undefined {
    return this.textOf('text')
  }

  protected override get head(): string {
    return this.protocol
  }

  protected override isQuoted(name: string): boolean {
    return name === 'text'
  }
}

const checkCause: ParamCheck = (name, wire) => {
  if (name === 'cause') checkNumberParam(wire)
}

/** One Reason value; `cursor.next` is then at a comma or `end`. */
export function decodeReason(wire: Wire, start: number, end: number, leniency: Leniency): Reason {
  const from = skipSpace(wire, start, end)
  const stop = requireToken(wire, from, end)
  return new Reason(wire.text.slice(from, stop), readParams(wire, stop, end, leniency, checkCause))
}

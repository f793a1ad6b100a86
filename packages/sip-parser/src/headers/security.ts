/** Agreement on security: Security-Client, Security-Server, Security-Verify (RFC 3329 §2.2). */
import { skipSpace } from '../grammar/chars'
import { type Params, type ParamsInit, param, toParams } from '../grammar/params'
import type { Wire } from '../grammar/wire'
import type { Leniency } from '../message/leniency'
import { readQ } from './contact'
import { type ParamCheck, ParamValue, readBack, readParams, requireToken, writeParams } from './param-value'

/** One mechanism on offer. Immutable. */
export class SecurityMechanism extends ParamValue {
  /**
   * Takes what was read; use {@link SecurityMechanism.of} instead.
   * @internal
   */
  constructor(
    /** `digest`, `tls`, `ipsec-ike`, `ipsec-man`, `ipsec-3gpp`, … as it came. */
    readonly mechanism: string,
    params: Params,
  ) {
    super(params)
  }

  /** Makes a value. Throws SipUsageError VALUE_INVALID for a mechanism that is no token or a bad q. */
  static of(mechanism: string, params?: ParamsInit): SecurityMechanism {
    const text = new SecurityMechanism(mechanism, toParams(params))
    return readBack(decodeSecurityMechanism, text, 'security mechanism')
  }

  /** Preference from 0 to 1; undefined when absent. */
  get q(): number | undefined {
    const value = this.textOf('q')
    return value === undefined ? undefined : Number(value)
  }

  /** The algorithm of a digest mechanism (`d-alg`). */
  get digestAlgorithm(): string | undefined {
    return this.textOf('d-alg')
  }

  /** The quality of protection of a digest mechanism (`d-qop`). */
  get digestQop(): string | undefined {
    return this.textOf('d-qop')
  }

  /** The digest over the server's list (`d-ver`). Never log it. */
  get digestVerify(): string | undefined {
    return this.textOf('d-ver')
  }

  /** Masked, so that a log never holds a digest. */
  override toJSON(): string {
    if (!this.params.has('d-ver')) return this.toString()
    const masked = new Map([...this.params, ['d-ver', '***']])
    return this.head + writeParams(masked, (name) => this.isQuoted(name))
  }

  protected override get head(): string {
    return this.mechanism
  }

  protected override isQuoted(name: string): boolean {
    return name === 'd-ver'
  }
}

const checkMechanism: ParamCheck = (name, wire) => {
  if (name === 'q') readQ(wire, param.nameStart, param.valueStart, param.valueEnd)
}

/** One mechanism; `cursor.next` is then at a comma or `end`. */
export function decodeSecurityMechanism(wire: Wire, start: number, end: number, leniency: Leniency): SecurityMechanism {
  const from = skipSpace(wire, start, end)
  const stop = requireToken(wire, from, end)
  return new SecurityMechanism(wire.text.slice(from, stop), readParams(wire, stop, end, leniency, checkMechanism))
}

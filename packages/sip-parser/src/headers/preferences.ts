/**
 * How a request wants to be treated: Accept-Contact, Reject-Contact (RFC 3841 §9.2), Feature-Caps (RFC 6809 §6.2.1),
 * Answer-Mode and Priv-Answer-Mode (RFC 5373 §3), Resource-Priority and Accept-Resource-Priority (RFC 4412 §3.1, §3.2).
 */
import { skipSpace } from '../grammar/chars'
import { cursor } from '../grammar/cursor'
import { fail } from '../grammar/failure'
import { type Params, type ParamsInit, param, toParams } from '../grammar/params'
import type { Wire } from '../grammar/wire'
import type { Leniency } from '../message/leniency'
import { type Feature, readFeatures } from './features'
import { type ParamCheck, ParamValue, readBack, readParams, requireToken, single } from './param-value'

/** A set of features: a value of Accept-Contact, Reject-Contact or Feature-Caps. Immutable. */
export class FeatureSet extends ParamValue {
  /** Makes a set. Throws SipUsageError VALUE_INVALID for a name that is no token. */
  static of(params: ParamsInit): FeatureSet {
    return new FeatureSet(toParams(params))
  }

  /** The features by lower-case name as it stands there: `audio`, `+g.3gpp.icsi-ref`. */
  get features(): ReadonlyMap<string, Feature> {
    return readFeatures(this.params)
  }

  /** True when a contact that does not match must not be used (`require`). */
  get isRequired(): boolean {
    return this.params.has('require')
  }

  /** True when a contact must have said that it has the features (`explicit`). */
  get isExplicit(): boolean {
    return this.params.has('explicit')
  }

  protected override get head(): string {
    return '*'
  }

  /** RFC 3840 §9: values of features stand in quotes. */
  protected override isQuoted(): boolean {
    return true
  }
}

/** Answer-Mode, Priv-Answer-Mode: whether a person is to answer. Immutable. */
export class AnswerMode extends ParamValue {
  /**
   * Takes what was read; use {@link AnswerMode.of} instead.
   * @internal
   */
  constructor(
    /** `Manual`, `Auto` or an extension, as it came. */
    readonly mode: string,
    params: Params,
  ) {
    super(params)
  }

  /** Makes a value. Throws SipUsageError VALUE_INVALID for a mode that is no token. */
  static of(mode: string, params?: ParamsInit): AnswerMode {
    return readBack(decodeAnswerMode, new AnswerMode(mode, toParams(params)), 'Answer-Mode')
  }

  /** True when the phone is to answer by itself. */
  get isAuto(): boolean {
    return this.mode.toLowerCase() === 'auto'
  }

  /** True when the request must be refused rather than be answered in another way. */
  get isRequired(): boolean {
    return this.params.has('require')
  }

  protected override get head(): string {
    return this.mode
  }
}

/** One priority of a call. Immutable. */
export class ResourcePriority {
  /**
   * Takes what was read; use {@link ResourcePriority.of} instead.
   * @internal
   */
  constructor(
    /** `dsn`, `ets`, `wps`, `esnet`, … as it came; compare without regard to case. */
    readonly namespace: string,
    /** As it came; compare without regard to case. */
    readonly priority: string,
  ) {}

  /** Makes a value. Throws SipUsageError VALUE_INVALID for a part that is no token, or has a dot. */
  static of(namespace: string, priority: string): ResourcePriority {
    return readBack(decodeResourcePriority, `${namespace}.${priority}`, 'Resource-Priority')
  }

  toString(): string {
    return `${this.namespace}.${this.priority}`
  }

  toJSON(): string {
    return this.toString()
  }
}

const checkPreference: ParamCheck = (name) => {
  const isFlag = name === 'require' || name === 'explicit'
  if (isFlag && param.valueStart >= 0) fail('PARAMETER_INVALID', param.valueStart)
}

/** One set of features, a star with parameters; `cursor.next` is then at a comma or `end`. */
export function decodeFeatureSet(wire: Wire, start: number, end: number, leniency: Leniency): FeatureSet {
  const from = skipSpace(wire, start, end)
  if (from >= end || wire.bytes[from] !== 0x2a) fail('STAR_EXPECTED', from)
  return new FeatureSet(readParams(wire, from + 1, end, leniency, checkPreference))
}

/** Answer-Mode, Priv-Answer-Mode. */
export const decodeAnswerMode = single((wire, start, end, leniency) => {
  const stop = requireToken(wire, start, end)
  return new AnswerMode(wire.text.slice(start, stop), readParams(wire, stop, end, leniency))
})

/** One `namespace.priority`; `cursor.next` is then at a comma or `end`. */
export function decodeResourcePriority(wire: Wire, start: number, end: number): ResourcePriority {
  const from = skipSpace(wire, start, end)
  const stop = requireToken(wire, from, end)
  const text = wire.text.slice(from, stop)
  const dot = text.indexOf('.')
  const isOdd = dot <= 0 || dot === text.length - 1 || text.includes('.', dot + 1)
  if (isOdd) fail('RESOURCE_PRIORITY_INVALID', from)
  const next = skipSpace(wire, stop, end)
  if (next < end && wire.bytes[next] !== 0x2c) fail('UNEXPECTED_CHARACTER', next)
  cursor.next = next
  return new ResourcePriority(text.slice(0, dot), text.slice(dot + 1))
}

/** Event notification: Event, Subscription-State (RFC 6665 §8.2.1, §8.2.3). */
import { type Params, type ParamsInit, toParams } from '../grammar/params'
import {
  checkNumberParam,
  checkTokenParam,
  type ParamCheck,
  ParamValue,
  readBack,
  readParams,
  requireToken,
  single,
} from './param-value'

/** Event: what is subscribed to. Immutable. */
export class EventType extends ParamValue {
  /** The event package, its templates included: `presence`, `presence.winfo`. Compared byte by byte. */
  readonly package: string

  /**
   * Takes what was read; use {@link EventType.of} instead.
   * @internal
   */
  constructor(eventPackage: string, params: Params) {
    super(params)
    this.package = eventPackage
  }

  /** Makes a value. Throws SipUsageError VALUE_INVALID for a package or id that is no token. */
  static of(eventPackage: string, id?: string, params?: ParamsInit): EventType {
    const all = new Map(toParams(params))
    if (id !== undefined) all.set('id', id)
    return readBack(decodeEvent, new EventType(eventPackage, all), 'Event')
  }

  /** Tells subscriptions of one dialog apart. */
  get id(): string | undefined {
    return this.textOf('id')
  }

  protected override get head(): string {
    return this.package
  }
}

/** The parts of a Subscription-State header. */
export interface SubscriptionStateInit {
  /** `active`, `pending`, `terminated`, or an extension. */
  readonly state: string
  /** Seconds. */
  readonly expires?: number | undefined
  /** Why a subscription ended: `deactivated`, `probation`, `rejected`, `timeout`, `giveup`, `noresource`, `invariant`. */
  readonly reason?: string | undefined
  /** Seconds. */
  readonly retryAfter?: number | undefined
  readonly params?: ParamsInit | undefined
}

/** Subscription-State. Immutable. */
export class SubscriptionState extends ParamValue {
  /**
   * Takes what was read; use {@link SubscriptionState.of} instead.
   * @internal
   */
  constructor(
    /** In lower case. */
    readonly state: string,
    params: Params,
  ) {
    super(params)
  }

  /** Makes a value. Throws SipUsageError VALUE_INVALID for what cannot be written. */
  static of(init: SubscriptionStateInit): SubscriptionState {
    const params = new Map(toParams(init.params))
    if (init.expires !== undefined) params.set('expires', String(init.expires))
    if (init.reason !== undefined) params.set('reason', init.reason)
    if (init.retryAfter !== undefined) params.set('retry-after', String(init.retryAfter))
    const text = new SubscriptionState(init.state, params)
    return readBack(decodeSubscriptionState, text, 'Subscription-State')
  }

  /** Seconds that the subscription still lasts; undefined when absent. */
  get expires(): number | undefined {
    return this.numberOf('expires')
  }

  /** Why it ended, in lower case; undefined when absent. */
  get reason(): string | undefined {
    return this.textOf('reason')?.toLowerCase()
  }

  /** Seconds to wait before subscribing again; undefined when absent. */
  get retryAfter(): number | undefined {
    return this.numberOf('retry-after')
  }

  protected override get head(): string {
    return this.state
  }
}

const checkEvent: ParamCheck = (name, wire) => {
  if (name === 'id') checkTokenParam(wire)
}

const checkState: ParamCheck = (name, wire) => {
  if (name === 'expires' || name === 'retry-after') checkNumberParam(wire)
  else if (name === 'reason') checkTokenParam(wire)
}

/** Event: a package and its parameters. */
export const decodeEvent = single((wire, start, end, leniency) => {
  const stop = requireToken(wire, start, end)
  return new EventType(wire.text.slice(start, stop), readParams(wire, stop, end, leniency, checkEvent))
})

/** Subscription-State: a state and its parameters. */
export const decodeSubscriptionState = single((wire, start, end, leniency) => {
  const stop = requireToken(wire, start, end)
  const state = wire.text.slice(start, stop).toLowerCase()
  return new SubscriptionState(state, readParams(wire, stop, end, leniency, checkState))
})

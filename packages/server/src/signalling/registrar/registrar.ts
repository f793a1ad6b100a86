/**
 * The registrar (RFC 3261 §10.3): who may register what, and the bindings of every extension. The rules of binding are
 * the stack's BindingTable; here they meet users, time and connections.
 */
import {
  type Binding,
  type BindingChange,
  BindingTable,
  type Clock,
  type IncomingRequest,
  type Logger,
  oneFlowPerDevice,
  type ScheduledWake,
} from '@carillon/sip-transaction'
import { LOG_FIELD_CHARS_MAX } from '../../limits'
import type { Authenticator } from '../authentication'
import type { OwnNames } from '../own-names'
import { dialledName } from '../own-names'

/** What a {@link Registrar} is made of. */
export interface RegistrarPorts {
  readonly authenticator: Authenticator
  readonly names: OwnNames
  readonly clock: Clock
  readonly logger: Logger
}

/** Figures of a {@link Registrar}, from the configuration. */
export interface RegistrationSettings {
  readonly minSeconds: number
  readonly maxSeconds: number
  readonly defaultSeconds: number
  readonly contactsMax: number
}

/** Expired bindings are cleared away at most this often; look-ups never show them anyway. */
const CLEARING_INTERVAL_MS = 1_000

/** Answers REGISTER and knows where each extension's phones are. */
export class Registrar {
  readonly #ports: RegistrarPorts
  readonly #table: BindingTable
  /** Connections that a registration came on and that are still open. */
  readonly #openFlows = new Set<number>()
  #wake: ScheduledWake | undefined
  #wakeAtMs = Number.POSITIVE_INFINITY

  constructor(ports: RegistrarPorts, settings: RegistrationSettings) {
    this.#ports = ports
    this.#table = new BindingTable({
      registrationSecondsMin: settings.minSeconds,
      registrationSecondsMax: settings.maxSeconds,
      registrationSecondsDefault: settings.defaultSeconds,
      bindingsPerAorMax: settings.contactsMax,
    })
  }

  /** How many phones are registered. */
  get size(): number {
    return this.#table.size
  }

  /** The phones of an extension, the most wanted first; one with several flows by its latest (RFC 5626 §7). */
  lookup(extension: string): readonly Binding[] {
    return oneFlowPerDevice(this.#table.lookup(this.#aor(extension), this.#ports.clock.monotonicMs()))
  }

  /** True while the connection that a registration came on is open. */
  isFlowOpen(flowId: number): boolean {
    return this.#openFlows.has(flowId)
  }

  /** A connection has closed. */
  flowClosed(flowId: number): void {
    this.#openFlows.delete(flowId)
    for (const change of this.#table.removeFlow(flowId)) this.#log(extensionOf(change.binding), [change])
  }

  /** Answers a REGISTER. */
  readonly handle = async (request: IncomingRequest): Promise<void> => {
    const { authenticator, names, clock } = this.#ports
    if (!names.includes(request.uri)) return request.reply(404)
    const user = await authenticator.user(request, 'server')
    if (!user) return
    // Step 4: a user may register own phones only. Step 5: for an address that this server has.
    if (dialledName(request.to.uri) !== user.extension) return request.reply(403)
    if (!names.includes(request.to.uri)) return request.reply(404)
    const result = this.#table.apply(request, clock.monotonicMs(), this.#aor(user.extension))
    const { flowId, isReliable } = request.source
    if (isReliable && result.changes.some((change) => change.kind !== 'removed')) this.#openFlows.add(flowId)
    // Step 8: the time, so that a phone without a clock has one.
    const date = ['Date', new Date(clock.wallMs()).toUTCString()] as const
    const headers = result.status === 200 ? [...result.headers, date] : result.headers
    request.reply(result.status, { ...result, headers })
    this.#log(user.extension, result.changes)
    this.#rearm()
  }

  /** Forgets everything and stops waiting. */
  close(): void {
    this.#wake?.cancel()
    this.#wake = undefined
    this.#wakeAtMs = Number.POSITIVE_INFINITY
  }

  #aor(extension: string): string {
    return `${extension}@${this.#ports.names.domain}`
  }

  #rearm(): void {
    const dueMs = this.#table.deadline()
    if (this.#wake !== undefined && this.#wakeAtMs <= dueMs) return
    this.#wake?.cancel()
    this.#wake = undefined
    this.#wakeAtMs = dueMs
    if (dueMs === Number.POSITIVE_INFINITY) return
    this.#wake = this.#ports.clock.schedule(dueMs + CLEARING_INTERVAL_MS, () => {
      this.#wake = undefined
      const expired: BindingChange[] = []
      this.#table.expire(this.#ports.clock.monotonicMs(), expired)
      for (const change of expired) this.#log(extensionOf(change.binding), [change])
      this.#rearm()
    })
  }

  /** Refreshes are daily bread and go to the debug level. */
  #log(extension: string, changes: readonly BindingChange[]): void {
    for (const { kind, binding } of changes) {
      const fields = {
        event: 'registration.changed',
        change: kind,
        extension,
        contact: binding.contact.toJSON().slice(0, LOG_FIELD_CHARS_MAX),
        transport: binding.receivedFrom.transport,
        address: binding.receivedFrom.address,
        port: binding.receivedFrom.port,
        userAgent: binding.userAgent,
      }
      if (kind === 'refreshed') this.#ports.logger.debug(fields, 'registration refreshed')
      else this.#ports.logger.info(fields, `registration ${kind}`)
    }
  }
}

function extensionOf(binding: Binding): string {
  return binding.aor.split('@', 1)[0] ?? ''
}

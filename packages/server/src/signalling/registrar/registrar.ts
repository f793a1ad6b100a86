/**
 * The registrar (RFC 3261 §10.3): who may register what. The bindings themselves, their rules and their time are the
 * stack's registrar; here they meet users and their extensions.
 */
import {
  type Binding,
  type BindingChange,
  type Clock,
  type IncomingRequest,
  type Logger,
  oneFlowPerDevice,
  type SipStack,
  Registrar as StackRegistrar,
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

/** Answers REGISTER and knows where each extension's phones are. */
export class Registrar {
  readonly #ports: RegistrarPorts
  readonly #bindings: StackRegistrar
  /** Connections that a registration came on and that are still open. */
  readonly #openFlows = new Set<number>()

  constructor(ports: RegistrarPorts, settings: RegistrationSettings) {
    const { clock, logger } = ports
    this.#ports = ports
    this.#bindings = new StackRegistrar({
      clock,
      logger,
      aorOf: (uri) => this.#aor(dialledName(uri) ?? ''),
      onChange: (change) => this.#log(change),
      registrationSecondsMin: settings.minSeconds,
      registrationSecondsMax: settings.maxSeconds,
      registrationSecondsDefault: settings.defaultSeconds,
      bindingsPerAorMax: settings.contactsMax,
    })
  }

  /** How many phones are registered. */
  get size(): number {
    return this.#bindings.size
  }

  /** The phones of an extension, the most wanted first; one with several flows by its latest (RFC 5626 §7). */
  lookup(extension: string): readonly Binding[] {
    return oneFlowPerDevice(this.#bindings.lookup(this.#aor(extension)))
  }

  /** True while the connection that a registration came on is open. */
  isFlowOpen(flowId: number): boolean {
    return this.#openFlows.has(flowId)
  }

  /** Follows the connections of a stack. */
  watch(stack: SipStack): void {
    stack.on('flowClosed', ({ flowId }) => this.#openFlows.delete(flowId))
    this.#bindings.watch(stack)
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
    const result = await this.#bindings.save(request)
    const { flowId, isReliable } = request.source
    if (isReliable && result.changes.some((change) => change.kind !== 'removed')) this.#openFlows.add(flowId)
    // Step 8: the time, so that a phone without a clock has one.
    const date = ['Date', new Date(clock.wallMs()).toUTCString()] as const
    const headers = result.status === 200 ? [...result.headers, date] : result.headers
    request.reply(result.status, { ...result, headers })
  }

  /** Stops waiting for what expires. */
  close(): void {
    this.#bindings.close()
  }

  #aor(extension: string): string {
    return `${extension}@${this.#ports.names.domain}`
  }

  /** Refreshes are daily bread and go to the debug level. */
  #log({ kind, binding }: BindingChange): void {
    const fields = {
      event: 'registration.changed',
      change: kind,
      extension: extensionOf(binding),
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

function extensionOf(binding: Binding): string {
  return binding.aor.split('@', 1)[0] ?? ''
}

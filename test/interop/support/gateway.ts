/**
 * A registrar that asks for passwords and connects whoever has registered, made of the stack in this process: what the
 * phones and browsers of a case register with, whatever transport they are on.
 */
import { SipUri } from '@carillon/sip-parser'
import {
  type Binding,
  BindingTable,
  type BridgeTarget,
  createNodeRandom,
  type DigestAlgorithm,
  type DigestRefusal,
  DigestVerifier,
  digest,
  digestUsernameKey,
  type IncomingRequest,
  oneFlowPerDevice,
  type SipStackOptions,
} from '@carillon/sip-transaction'
import type { TestCertificate } from '../../support/certificates.ts'
import { type Endpoint, withEndpoint } from './endpoint.ts'
import { loopback } from './network.ts'
import { domain, type User } from './server.ts'

/** How it is run. */
export interface GatewayOptions {
  readonly users: readonly User[]
  /** Listen schemes; UDP when absent. */
  readonly schemes?: readonly string[]
  readonly certificate?: TestCertificate
  /** The algorithms that it offers, the strongest first. */
  readonly algorithms?: readonly DigestAlgorithm[]
  readonly nonceLifetimeMs?: number
}

/** A REGISTER that was let through. */
export interface Registration {
  readonly user: string
  /** What the credentials say that they were made with. */
  readonly algorithm: string
  readonly transport: string
  /** False when it took the registration back. */
  readonly isBound: boolean
}

/** A running gateway. */
export class Gateway {
  readonly endpoint: Endpoint
  readonly registrations: Registration[] = []
  readonly refusals: DigestRefusal[] = []
  readonly #bindings = new BindingTable()

  constructor(endpoint: Endpoint, options: GatewayOptions) {
    this.endpoint = endpoint
    const { stack } = endpoint
    const { users, algorithms, nonceLifetimeMs } = options
    const random = createNodeRandom()
    const verifier = new DigestVerifier({
      realm: domain,
      secret: random.bytes(32),
      random,
      ...(algorithms === undefined ? {} : { algorithms }),
      ...(nonceLifetimeMs === undefined ? {} : { nonceLifetimeMs }),
    })
    const known = digest.required(
      verifier,
      (name) => {
        const user = users.find((item) => item.name === name)
        return user === undefined ? undefined : { password: user.password }
      },
      { onRefused: (_, reason) => this.refusals.push(reason) },
    )
    stack.method('REGISTER', known, (request) => this.#register(request))
    stack.on('flowClosed', ({ flowId }) => this.#bindings.removeFlow(flowId))
    stack.method('MESSAGE', (request) => this.#passOn(request))
    stack.method('INVITE', async (request) => {
      const targets = this.#targets(request)
      if (targets.length === 0) request.reply(480)
      else await request.bridge(targets, { to: request.to })
    })
  }

  #register(request: IncomingRequest): void {
    const name = nameOf(request.to.uri)
    if (name === undefined || request.locals.get(digestUsernameKey) !== name) {
      request.reply(403)
      return
    }
    const { status, headers } = this.#bindings.apply(request, performance.now(), name)
    const { transport } = request.source
    const credentials = request.message.get('Authorization') ?? ''
    const algorithm = /algorithm="?([\w-]+)/i.exec(credentials)?.[1] ?? 'MD5'
    const isBound = this.#bindings.lookup(name, performance.now()).length > 0
    if (status === 200) this.registrations.push({ user: name, algorithm, transport, isBound })
    request.reply(status, { contact: false, headers: [...headers, ...digest.info(request)] })
  }

  /** The contacts of a user. */
  bindingsOf(name: string): readonly Binding[] {
    return this.#bindings.lookup(name, performance.now())
  }

  async #passOn(request: IncomingRequest): Promise<void> {
    const [target] = this.#targets(request)
    if (target === undefined) {
      request.reply(480)
      return
    }
    const contentType = request.message.get('Content-Type')
    const content = contentType === undefined ? {} : { body: request.body, contentType }
    const { from, to } = request
    const answer = await this.endpoint.stack.request({ method: 'MESSAGE', from, to, ...content, ...target })
    request.reply(answer.status, { reason: answer.reason })
  }

  #targets(request: IncomingRequest): (BridgeTarget & { readonly uri: SipUri })[] {
    const name = nameOf(request.uri)
    if (name === undefined) return []
    return oneFlowPerDevice(this.bindingsOf(name)).map((binding) => binding.toTarget())
  }
}

/** Runs with a gateway, closes it, and adds what passed to whatever fails. */
export async function withGateway(options: GatewayOptions, run: (gateway: Gateway) => Promise<void>): Promise<void> {
  const { schemes = ['udp'], certificate } = options
  const stackOptions: SipStackOptions = {
    supported: ['outbound', 'path'],
    listen: schemes.map((scheme) => `${scheme}://${loopback}:0`),
    ...(certificate === undefined ? {} : { tls: certificate }),
  }
  await withEndpoint(stackOptions, (endpoint) => run(new Gateway(endpoint, options)))
}

function nameOf(uri: unknown): string | undefined {
  return uri instanceof SipUri ? uri.user : undefined
}

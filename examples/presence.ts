/**
 * A presence server (RFC 3856): takes what devices PUBLISH (RFC 3903), and tells whoever has subscribed to the user.
 * Phones that want to register first may; it asks for no password.
 */
import { SipUri, type Uri } from '@carillon/sip-parser'
import {
  composePresence,
  createNodeRandom,
  EventStateTable,
  type NotifierSubscription,
  type Presence,
  presencePackage,
} from '@carillon/sip-transaction'
import { readOptions, serve, startStack } from './support/program.ts'

const options = readOptions('presence [--listen udp://127.0.0.1:5060] … [--trace]', {
  listen: { type: 'string', multiple: true, default: ['udp://127.0.0.1:5060'] },
  trace: { type: 'boolean', default: false },
})

const published = new EventStateTable(presencePackage, createNodeRandom())
const watchers = new Map<string, Set<NotifierSubscription<Presence>>>()

/** What a user publishes and is watched under: name and domain, whatever port or parameters. */
const resourceOf = (uri: Uri): string =>
  uri instanceof SipUri ? `sip:${uri.user ?? ''}@${uri.host.toLowerCase()}` : uri.toString()

const presenceOf = (resource: string): Presence =>
  composePresence(resource, published.states(resource, performance.now()))

function tell(resource: string): void {
  const presence = presenceOf(resource)
  if (options.trace) console.log(`${resource} ${presence.tuples.map(({ basic }) => basic).join(' ') || 'unknown'}`)
  for (const watcher of watchers.get(resource) ?? []) watcher.notify(presence)
}

const stack = await startStack({ listen: options.listen })

stack.method('PUBLISH', (request) => {
  const resource = resourceOf(request.uri)
  const { status, headers, hasChanged } = published.apply(resource, request.message, performance.now())
  request.reply(status, { headers })
  if (hasChanged) tell(resource)
})

stack.method('SUBSCRIBE', async (request) => {
  const resource = resourceOf(request.uri)
  const watcher = request.subscription({ event: presencePackage, state: () => presenceOf(resource) })
  if (watcher === undefined) return
  const all = watchers.get(resource) ?? new Set()
  watchers.set(resource, all.add(watcher))
  if (options.trace) console.log(`${resource} is watched by ${request.from.uri}`)
  await watcher.ended
  all.delete(watcher)
  if (all.size === 0) watchers.delete(resource)
})

// Nobody is called by way of this server, so that what a phone registers need not be kept.
stack.method('REGISTER', (request) => {
  const contact = request.message.get('Contact')
  const expires = Math.min(request.message.expires ?? 3600, 3600)
  if (contact === undefined || contact === '*') request.reply(200)
  else
    request.reply(200, {
      headers: [
        ['Contact', contact],
        ['Expires', expires],
      ],
    })
})

setInterval(() => {
  const changed: string[] = []
  published.expire(performance.now(), changed)
  for (const resource of changed) tell(resource)
}, 1_000).unref()

serve(stack)

/** Runs in the page: a user agent of JsSIP under `phone`, driven from outside. */
globalThis.startPhone = ({ url, uri, password }) => {
  const { JsSIP } = globalThis
  const ua = new JsSIP.UA({ sockets: [new JsSIP.WebSocketInterface(url)], uri, password, register_expires: 300 })
  const log = []
  const received = []
  for (const event of ['connecting', 'connected', 'disconnected', 'registered', 'unregistered', 'registrationFailed'])
    ua.on(event, ({ response, cause } = {}) =>
      log.push(`${event} ${response?.status_code ?? ''} ${cause ?? ''}`.trim()),
    )
  ua.on('newMessage', ({ originator, request }) => {
    if (originator === 'remote') received.push(request.body)
  })
  /** Resolves with the words of the first of these events. */
  const outcome = (events, begin) =>
    new Promise((resolve) => {
      for (const event of events)
        ua.once(event, ({ response, cause } = {}) => resolve(`${event} ${response?.status_code ?? cause ?? ''}`.trim()))
      begin()
    })
  globalThis.phone = {
    log,
    received,
    start: () => outcome(['registered', 'registrationFailed'], () => ua.start()),
    stop: () => outcome(['disconnected'], () => ua.stop()),
    send: (target, text) =>
      new Promise((resolve) => {
        const told = ({ response, cause }) => resolve(String(response?.status_code ?? cause))
        ua.sendMessage(target, text, { eventHandlers: { succeeded: told, failed: told } })
      }),
  }
}

/**
 * Finds every class of the built packages that is loaded, exported or not, and counts its living objects. The inspector
 * tells where in the source a function stands; `v8.queryObjects` collects garbage and counts.
 */
import { Session } from 'node:inspector'
import { queryObjects } from 'node:v8'

type AnyClass = abstract new (...values: never[]) => object

/** A class of the packages. */
export interface ProjectClass {
  readonly name: string
  /** The package it stands in, such as `sip-transaction`. */
  readonly packageName: string
  readonly type: AnyClass
}

interface RemoteObject {
  readonly objectId?: string
}

const stash = Symbol.for('carillon.bench.classes')

/** Every class that stands in a file `packages/<name>/dist/`. Call it after everything is loaded. */
export function projectClasses(): ProjectClass[] {
  const session = new Session()
  session.connect()
  try {
    const urlByScript = new Map<string, string>()
    session.on('Debugger.scriptParsed', ({ params }) => urlByScript.set(params.scriptId, params.url))
    post(session, 'Debugger.enable')
    const prototype = post<{ result: RemoteObject }>(session, 'Runtime.evaluate', {
      expression: 'Function.prototype',
    }).result
    const functions = post<{ objects: RemoteObject }>(session, 'Runtime.queryObjects', {
      prototypeObjectId: prototype.objectId,
    })
    const classes = post<{ result: RemoteObject }>(session, 'Runtime.callFunctionOn', {
      objectId: functions.objects.objectId,
      functionDeclaration: `function () {
        const text = Function.prototype.toString
        // Only a class has a prototype that cannot be replaced; a module is a function whose text may begin like one.
        const isClass = (item) => /^class\\b/.test(text.call(item)) && Object.getOwnPropertyDescriptor(item, 'prototype')?.writable === false
        const found = this.filter((item) => typeof item === 'function' && isClass(item))
        globalThis[Symbol.for('carillon.bench.classes')] = found
        return found
      }`,
    }).result
    const types = takeStash()
    return locations(session, classes).flatMap(({ index, scriptId }) => {
      const packageName = urlByScript.get(scriptId)?.match(/\/packages\/([\w-]+)\/dist\//)?.[1]
      const type = types[index]
      if (packageName === undefined || type === undefined) return []
      // The bundler puts an underscore before the name of a class that names itself.
      return [{ name: type.name.replace(/^_/, ''), packageName, type }]
    })
  } finally {
    session.disconnect()
  }
}

/** How many objects of the class live now, those of its subclasses included. Collects garbage first. */
export function countLiving(type: AnyClass): number {
  return queryObjects(type as unknown as () => void, { format: 'count' })
}

function locations(session: Session, array: RemoteObject): { index: number; scriptId: string }[] {
  const elements = post<{ result: { name: string; value?: RemoteObject }[] }>(session, 'Runtime.getProperties', {
    objectId: array.objectId,
    ownProperties: true,
  })
  return elements.result.flatMap(({ name, value }) => {
    const index = Number(name)
    if (!Number.isInteger(index) || value?.objectId === undefined) return []
    const own = post<{ internalProperties?: { name: string; value?: { value?: { scriptId?: string } } }[] }>(
      session,
      'Runtime.getProperties',
      { objectId: value.objectId, ownProperties: true },
    )
    const location = own.internalProperties?.find((property) => property.name === '[[FunctionLocation]]')
    const scriptId = location?.value?.value?.scriptId
    return scriptId === undefined ? [] : [{ index, scriptId }]
  })
}

function takeStash(): readonly AnyClass[] {
  const holder = globalThis as unknown as Record<symbol, readonly AnyClass[] | undefined>
  const found = holder[stash] ?? []
  delete holder[stash]
  return found
}

/** The session of the same thread answers before `post` returns. */
function post<T>(session: Session, method: string, params: object = {}): T {
  let answer: T | undefined
  let problem: Error | null = null
  session.post(method, params, (error, result) => {
    problem = error
    answer = result as T
  })
  if (problem !== null) throw problem
  if (answer === undefined) throw new Error(`the inspector did not answer ${method}`)
  return answer
}

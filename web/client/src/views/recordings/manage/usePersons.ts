import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'

import { useAttempt } from '@/lib/useAttempt'
import type { Api } from '@/protocol/http/api'
import type { FilmPerson, NamedPerson, Recording } from '@/protocol/http/recordingShapes'
import { asProblem } from '@/protocol/problem'

/** `renewed`: another officer was faster, whose list is there now; that and `refused` leave a problem. */
export type Outcome = 'kept' | 'already' | 'renewed' | 'refused'

export interface Persons {
  persons: ShallowRef<FilmPerson[]>
  busy: Ref<boolean>
  problem: ShallowRef<unknown>
  add: (person: FilmPerson) => Promise<Outcome>
  remove: (person: FilmPerson) => Promise<Outcome>
}

const same = (one: FilmPerson, other: FilmPerson): boolean =>
  one.memberId ? one.memberId === other.memberId : !other.memberId && one.name === other.name

export const named = (all: FilmPerson[]): NamedPerson[] =>
  all.map((one) => (one.memberId ? { memberId: one.memberId } : { name: one.name }))

const changes = (
  persons: ShallowRef<FilmPerson[]>,
  keep: (wanted: FilmPerson[]) => Promise<Outcome>,
): Pick<Persons, 'add' | 'remove'> => ({
  add: async (person) =>
    persons.value.some((one) => same(one, person)) ? 'already' : keep([...persons.value, person]),
  remove: (person) => keep(persons.value.filter((one) => !same(one, person))),
})

/** Who is to be named in a film that is not there yet. */
export function usePersonDraft(): Persons {
  const persons = shallowRef<FilmPerson[]>([])
  const keep = (wanted: FilmPerson[]): Promise<Outcome> => {
    persons.value = wanted
    return Promise.resolve('kept')
  }
  return {
    persons,
    busy: ref(false),
    problem: shallowRef(),
    ...changes(persons, keep),
  }
}

/** Who is in a film made elsewhere; each change is kept at once, unless somebody else has made one meanwhile. */
export function usePersons(api: Api, { id, persons: begun }: Recording): Persons {
  /** As the server last answered: the page that loads again comes later than the next person may be added. */
  const persons = shallowRef(begun)
  const { busy, problem, attempt } = useAttempt()

  const keep = async (wanted: FilmPerson[]): Promise<Outcome> =>
    (await attempt(async () => {
      const change = { persons: named(wanted), personsBefore: named(persons.value) }
      const kept = await api.changeRecording(id, change).catch(renew)
      persons.value = kept.persons
      return 'kept' as const
    })) ?? (asProblem(problem.value).code === 'persons_renewed' ? 'renewed' : 'refused')

  /** What the other one named is shown beside the word of it. */
  async function renew(refusal: unknown): Promise<never> {
    if (asProblem(refusal).code === 'persons_renewed') persons.value = (await api.recording(id)).persons
    throw refusal
  }

  return {
    persons,
    busy,
    problem,
    ...changes(persons, keep),
  }
}

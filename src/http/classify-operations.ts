// Asking the classifier: somebody pastes a reply and learns what Studs would make of it.

import type { Classifier } from '../bounce/classify.ts'
import { namesOf } from '../bounce/names.ts'
import { replyFrom } from '../bounce/pasted.ts'
import { checked, classifyBody } from './input.ts'
import type { Operations } from './operations.ts'
import { toWire } from './wire.ts'

export function classifyOperations({ classifier }: { readonly classifier: Classifier }): Pick<Operations, 'classify'> {
  return {
    classify: async (request) => {
      const { reply, command, mx } = checked(classifyBody, request)
      const cause = { kind: 'reply' as const, reply: replyFrom(reply), command }
      const explained = classifier.explain({ cause, ...(mx === undefined ? {} : { mx }) })
      return toWire({ cause, ...explained, names: namesOf(explained.verdict.category) })
    },
  }
}

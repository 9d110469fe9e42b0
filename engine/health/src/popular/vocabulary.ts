/**
 * The words in which rules of popular kinds are written: definitions of jq. A rule is a query on the live object; its first
 * result is the verdict. `H`, `P`, `D`, `S`, `U`, `M` are the verdicts, with their message.
 */
export const VOCABULARY = String.raw`
def H(m): {status: "Healthy", message: (m // "")};
def P(m): {status: "Progressing", message: (m // "")};
def D(m): {status: "Degraded", message: (m // "")};
def S(m): {status: "Suspended", message: (m // "")};
def U(m): {status: "Unknown", message: (m // "")};
def M(m): {status: "Missing", message: (m // "")};
def conds: (.status.conditions // [])[];
def on($t): .type == $t and .status == "True";
def off($t): .type == $t and .status == "False";
def either($t; ok; bad): conds | if on($t) then ok elif off($t) then bad else empty end;
def ready($t; $waiting): either($t; H(.message); D(.message)), P($waiting);
def observed: .status.observedGeneration == null or .metadata.generation == null or .status.observedGeneration == .metadata.generation;
def seenAt($g): $g == null or ((.conditions // []) != [] and all(.conditions[]; .observedGeneration == null or .observedGeneration == $g));
def short: (. // "")[:7];
def enumerated: [to_entries[] | "\(.key + 1): \(.value.type) | \(.value.status)\n"] | add // "";
`;

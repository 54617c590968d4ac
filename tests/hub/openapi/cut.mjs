// Cuts GitHub's description of its REST interface down to what is used here, so that a proxy reads it in a second.
//
//     node cut.mjs OUTPUT
//
// One thing is made stricter: the body of a request has no fields beside those that are described. GitHub ignores others, and
// a name that is spelt wrong would be one of them.
import fs from "node:fs";

const USED = {
  "/user": ["get"],
  "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["get", "post"],
  "/repos/{owner}/{repo}/issues/comments/{comment_id}": ["patch", "delete"],
  "/repos/{owner}/{repo}/check-runs": ["post"],
  "/repos/{owner}/{repo}/check-runs/{check_run_id}": ["patch"],
  "/repos/{owner}/{repo}/commits/{ref}/check-runs": ["get"],
  "/repos/{owner}/{repo}/statuses/{sha}": ["post"],
  "/repos/{owner}/{repo}/pulls": ["get"],
  "/repos/{owner}/{repo}/pulls/{pull_number}": ["get"],
  "/repos/{owner}/{repo}/pulls/{pull_number}/commits": ["get"],
  "/repos/{owner}/{repo}/compare/{basehead}": ["get"],
  "/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts": ["get"],
};

const source = new URL("node_modules/@octokit/openapi/generated/api.github.com.json", import.meta.url);
const whole = JSON.parse(fs.readFileSync(source, "utf8"));

/** Forbids fields that are not described. Alternatives describe parts of the object that they stand in, and are left alone. */
function close(schema) {
  if (schema.properties) schema.additionalProperties = false;
  for (const property of Object.values(schema.properties ?? {})) close(property);
  if (schema.items) close(schema.items);
}

const paths = {};
for (const [path, methods] of Object.entries(USED)) {
  paths[path] = {};
  for (const method of methods) {
    const operation = whole.paths[path]?.[method];
    if (!operation) throw new Error(`GitHub describes no ${method} ${path}`);
    for (const content of Object.values(operation.requestBody?.content ?? {})) close(content.schema);
    paths[path][method] = operation;
  }
}

/** Copies what the references in a part point to, and what those point to in turn. */
const components = {};
function follow(part) {
  if (part === null || typeof part !== "object") return;
  const [, , kind, name] = part.$ref?.split("/") ?? [];
  if (kind && !components[kind]?.[name]) {
    (components[kind] ??= {})[name] = whole.components[kind][name];
    follow(components[kind][name]);
  }
  Object.values(part).forEach(follow);
}
follow(paths);

const { openapi, info, servers } = whole;
fs.writeFileSync(process.argv[2], JSON.stringify({ openapi, info, servers, paths, components }));

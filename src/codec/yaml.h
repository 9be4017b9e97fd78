#pragma once
/*
 * yaml: one YAML 1.1 document as JSON text, the way AWS's tools read templates: anchors and merge
 * keys resolved (bounded), short-form tags (!Ref x, !Sub, !GetAtt a.b) as {"Ref": "x"},
 * {"Fn::Sub": ...}, {"Fn::GetAtt": ["a", "b"]}; plain scalars typed as YAML 1.2 core.
 */
#include "base/buf.h"

#define YAML_BAD 1

int yaml_to_json(struct arena *a, struct str text, struct str *json, struct str *why) MUST_USE;

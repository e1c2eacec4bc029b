"""A second reading of the rules: a plain fold of the event log's rows, compared with what the service answers.

`log`, `job`, `past` and `answers` import nothing of the project, so a mistake of its code cannot repeat itself here.
`questions` asks at random, `asking` asks a service and compares, and `life` plays random jobs with kills.
"""
